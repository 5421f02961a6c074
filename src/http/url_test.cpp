#include "http/url.hpp"

#include <gtest/gtest.h>

namespace davit::http {
namespace {

TEST(Url, percent_encoding_goes_there_and_back) {
  EXPECT_EQ(percent_encode("a b/c?d=ä~"), "a%20b%2Fc%3Fd%3D%C3%A4~");
  EXPECT_EQ(*percent_decode(percent_encode("a b/c?d=ä~%")), "a b/c?d=ä~%");
  for (auto const* bad : {"%", "%4", "%zz", "a%00b"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  EXPECT_EQ(encode_query({{"filters", "{\"a\":1}"}, {"x", ""}}), "?filters=%7B%22a%22%3A1%7D&x=");
  EXPECT_EQ(encode_query({}), "");
}

TEST(Url, targets_are_read) {
  auto const target = parse_target("/services/a?x=1&x=2+3&y");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/services/a");
  EXPECT_EQ(target->query, (Query{{"x", "1"}, {"x", "2 3"}, {"y", ""}}));
  EXPECT_EQ(parse_target("http://host/a?b=c")->path, "/a");
  EXPECT_EQ(parse_target("http://host")->path, "/");
  EXPECT_EQ(parse_target("*")->path, "*");
  for (auto const* bad : {"", "a", "/%", "/a b", "/%00"}) EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Url, paths_have_one_spelling_and_keep_their_segments) {
  for (auto const& [text, path] : std::vector<std::pair<std::string_view, std::string_view>>{{"/services/a%2fb", "/services/a%2Fb"},
                                                                                             {"/%73ervices/w%65b/", "/services/web/"},
                                                                                             {"/a%20b//%25:@", "/a%20b//%25:@"},
                                                                                             {"/%2E%2E/a", "/../a"},
                                                                                             {"/a%3Ab%c3%a4", "/a:b%C3%A4"}}) {
    EXPECT_EQ(parse_target(text)->path, path);
    EXPECT_EQ(parse_target(path)->path, path);
  }
}

TEST(Url, endpoints_are_read_as_users_write_them) {
  struct Case {
    std::string_view text;
    std::string_view canonical;
  };
  for (auto const& [text, canonical] : {Case{"unix:///run/x.sock", "unix:///run/x.sock"}, Case{"/run/x.sock", "unix:///run/x.sock"},
                                        Case{"tcp://h:1", "http://h:1"}, Case{"http://h:1/", "http://h:1"}, Case{"http://h", "http://h:80"},
                                        Case{"https://h", "https://h:443"}, Case{"h:1", "http://h:1"}, Case{"[::1]:1", "http://[::1]:1"}}) {
    auto const endpoint = parse_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(to_string(*endpoint), canonical);
    EXPECT_EQ(*parse_endpoint(canonical), *endpoint);
  }
  EXPECT_EQ(parse_endpoint("h", 7)->port, 7);
  EXPECT_EQ(parse_endpoint("http://h", 7)->port, 7);
  for (auto const* bad :
       {"", "h", "h:", "h:0", "h:70000", "h:x", "::1:80", "[::1", "ftp://h:1", "unix://x", "http://h:1/path", "http://u@h:1", ":1"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace davit::http
