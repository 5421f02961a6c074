#include "codec/short_forms.hpp"

#include <gtest/gtest.h>

#include "codec/fields.hpp"
#include "codec/json.hpp"

namespace davit::codec {
namespace {

struct Case {
  std::string text;
  std::string expected;
};

TEST(ParsePort, ReadsTheDocumentedForms) {
  Case const cases[] = {
      {"80", R"({"target":80,"protocol":"tcp","mode":"host"})"},
      {"80/udp", R"({"target":80,"protocol":"udp","mode":"host"})"},
      {"8080:80", R"({"target":80,"published":8080,"protocol":"tcp","mode":"host"})"},
      {"8080:80/sctp", R"({"target":80,"published":8080,"protocol":"sctp","mode":"host"})"},
      {"8080-8089:80", R"({"target":80,"published":8080,"published_end":8089,"protocol":"tcp","mode":"host"})"},
      {"127.0.0.1:8080:80", R"({"target":80,"published":8080,"protocol":"tcp","mode":"host","host_ip":"127.0.0.1"})"},
      {"127.0.0.1::80", R"({"target":80,"protocol":"tcp","mode":"host","host_ip":"127.0.0.1"})"},
      {"[::1]:8080:80", R"({"target":80,"published":8080,"protocol":"tcp","mode":"host","host_ip":"::1"})"},
      {"[::1]::80/udp", R"({"target":80,"protocol":"udp","mode":"host","host_ip":"::1"})"},
      {"65535:1", R"({"target":1,"published":65535,"protocol":"tcp","mode":"host"})"},
  };
  for (auto const& [text, expected] : cases) {
    auto const port = parse_port(text);
    ASSERT_TRUE(port) << text << ": " << port.error().message;
    EXPECT_EQ(dump(write_value(*port, Defaults::Omit)), expected) << text;
  }
}

TEST(ParsePort, RefusesTheRest) {
  for (std::string_view const text : {"",
                                      "0",
                                      "65536",
                                      "-1",
                                      "80/",
                                      "80/icmp",
                                      "a:80",
                                      "80:a",
                                      ":80",
                                      "8080-:80",
                                      "-8080:80",
                                      "80-81",
                                      "8080:80-81",
                                      "::1:8080:80",
                                      "[::1]:80",
                                      ":8080:80",
                                      "1:2:3:4",
                                      "80 ",
                                      "+80",
                                      "0x50",
                                      "8080:80/tcp/udp",
                                      "[]:1:2",
                                      "99999999999999999999"}) {
    auto const port = parse_port(text);
    EXPECT_FALSE(port) << text;
    if (!port) EXPECT_NE(port.error().message.find("is not a port"), std::string::npos) << port.error().message;
  }
}

TEST(ParseMount, ReadsTheDocumentedForms) {
  using enum model::MountType;
  std::pair<std::string_view, model::Mount> const cases[] = {
      {"data:/var/lib/data", {Volume, "data", "/var/lib/data", false}},
      {"data:/d:ro", {Volume, "data", "/d", true}},
      {"/srv:/d:rw", {Bind, "/srv", "/d", false}},
      {"/d", {Volume, "", "/d", false}},
  };
  for (auto const& [text, expected] : cases) {
    auto const mount = parse_mount(text);
    ASSERT_TRUE(mount) << text << ": " << mount.error().message;
    EXPECT_EQ(*mount, expected) << text;
  }
  for (std::string_view const text : {"", "data", "data:", "data:rel", ":/d", "./x:/d", "~/x:/d", "a:/b:z", "a:/b:ro:x", "a:/b:"}) {
    EXPECT_FALSE(parse_mount(text)) << text;
  }
}

TEST(SplitWords, QuotesAsAShellDoes) {
  std::pair<std::string_view, std::vector<std::string>> const cases[] = {
      {"", {}},
      {"  ", {}},
      {"a b\tc\nd", {"a", "b", "c", "d"}},
      {"'a b' c", {"a b", "c"}},
      {R"("a \"b\" \x" c)", {R"(a "b" \x)", "c"}},
      {R"(a\ b c)", {"a b", "c"}},
      {R"('a\b')", {R"(a\b)"}},
      {R"(a'b'"c"d)", {"abcd"}},
      {R"('' "")", {"", ""}},
      {"echo $HOME", {"echo", "$HOME"}},
  };
  for (auto const& [text, expected] : cases) {
    auto const words = split_words(text);
    ASSERT_TRUE(words) << text;
    EXPECT_EQ(*words, expected) << text;
  }
  for (std::string_view const text : {"'a", "\"a", "a\\", "\"a\\\""}) EXPECT_FALSE(split_words(text)) << text;
}

}  // namespace
}  // namespace davit::codec
