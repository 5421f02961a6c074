// The regular expressions of the OpenAPI document against the parsers that decide: what the document promises is accepted.
#include "codec/spec_schema.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "base/time.hpp"
#include "codec/duration_pattern.hpp"
#include "codec/json.hpp"
#include "codec/spec.hpp"
#include "model/spec_fields.hpp"

namespace davit::codec {
namespace {

// std::regex knows no \u0000 in brackets; no text here has a NUL.
bool matches(std::string_view path, std::string const& text) {
  static std::map<std::string, std::regex, std::less<>> compiled;
  if (auto const known = compiled.find(path); known != compiled.end()) return std::regex_search(text, known->second);
  auto pattern = std::string(schema_refinement(path).at("pattern").text());
  for (std::size_t at; (at = pattern.find("\\u0000")) != std::string::npos;) pattern.replace(at, 6, "\\x01");
  return std::regex_search(text, compiled.emplace(path, pattern).first->second);
}

bool is_accepted(std::string_view member, Value value) {
  auto spec = Value::object({{"image", "a"}});
  spec.set(member, std::move(value));
  return read_valid_spec("web", spec).problems.empty();
}

struct Case {
  std::string_view path;
  std::string text;
  bool is_good;
};

TEST(SpecSchema, AgreesWithTheParsersOnEveryGrammar) {
  std::string const hex(64, 'a');
  Case const cases[] = {
      {"image", "nginx", true},
      {"image", "nginx:1.27", true},
      {"image", "library/nginx:1.27", true},
      {"image", "localhost/a", true},
      {"image", "localhost:5000/a/b:c", true},
      {"image", "registry.example.com/a", true},
      {"image", "host:5000/a", true},
      {"image", "a@sha256:" + hex, true},
      {"image", "a:b@sha256:" + hex, true},
      {"image", "a__b/c--d/e.f", true},
      {"image", "a.b", true},
      {"image", "", false},
      {"image", "Nginx", false},
      {"image", "a b", false},
      {"image", "a/", false},
      {"image", "/a", false},
      {"image", "a:", false},
      {"image", "a:b:c", false},
      {"image", "a@sha256:ab", false},
      {"image", "a___b", false},
      {"image", "a_.b", false},
      {"image", "-a", false},
      {"image", "a_b.c/d", false},
      {"image", "http://a", false},
      {"image", "a:-b", false},
      {"ports[]", "80", true},
      {"ports[]", "8080:80/udp", true},
      {"ports[]", "1-2:65535", true},
      {"ports[]", "127.0.0.1::80", true},
      {"ports[]", "[::1]:1:2", true},
      {"ports[]", "080", false},
      {"ports[]", "65536", false},
      {"ports[]", "1:2:3", false},
      {"ports[]", ":80", false},
      {"ports[]", "80/http", false},
      {"volumes[]", "data:/d", true},
      {"volumes[]", "/s:/d:ro", true},
      {"volumes[]", "/d", true},
      {"volumes[]", "data:/d:rw", true},
      {"volumes[]", "/", false},
      {"volumes[]", "data", false},
      {"volumes[]", "/a/../b", false},
      {"volumes[]", "/a:ro", false},
      {"volumes[]", "x:/d", false},
      {"volumes[]", "data://", false},
      {"tmpfs[]", "/tmp", true},
      {"tmpfs[]", "/tmp:size=1m", true},
      {"tmpfs[]", "tmp", false},
      {"tmpfs[]", "/", false},
      {"devices[]", "/dev/a", true},
      {"devices[]", "/dev/a:/dev/b:rwm", true},
      {"devices[]", "/dev/a:rwm", false},
      {"devices[]", "dev", false},
      {"devices[]", "/a:/b:x", false},
      {"dns[]", "1.1.1.1", true},
      {"dns[]", "2001:db8::1", true},
      {"dns[]", "::", true},
      {"dns[]", "256.1.1.1", false},
      {"dns[]", "1.1.1", false},
      {"dns[]", "one", false},
      {"extra_hosts[]", "db:10.0.0.7", true},
      {"extra_hosts[]", "h:host-gateway", true},
      {"extra_hosts[]", "db", false},
      {"extra_hosts[]", "db:x", false},
      {"cap_add[]", "NET_ADMIN", true},
      {"cap_add[]", "net_admin", false},
      {"cap_add[]", "", false},
      {"hostname", "a.b-c", true},
      {"hostname", "", true},
      {"hostname", "-a", false},
      {"hostname", "a_b", false},
      {"hostname", "a..b", false},
      {"working_dir", "/srv/x", true},
      {"working_dir", "", true},
      {"working_dir", "srv", false},
      {"working_dir", "/a/..", false},
      {"working_dir", "/..a", true},
      {"stop_signal", "SIGTERM", true},
      {"stop_signal", "TERM", true},
      {"stop_signal", "9", true},
      {"stop_signal", "64", true},
      {"stop_signal", "RTMIN+3", true},
      {"stop_signal", "65", false},
      {"stop_signal", "0", false},
      {"stop_signal", "sigterm", false},
      {"stop_signal", "SIGNOPE", false},
      {"stop_signal", "SIG9", false},
      {"network_mode", "host", true},
      {"network_mode", "my_net", true},
      {"network_mode", "container:x", false},
      {"network_mode", "a b", false},
  };
  for (auto const& [path, text, is_good] : cases) {
    bool const is_item = path.ends_with("[]");
    auto const member = is_item ? path.substr(0, path.size() - 2) : path;
    EXPECT_EQ(is_accepted(member, is_item ? Value::array(text) : Value(text)), is_good) << path << " " << text;
    EXPECT_EQ(matches(path, text), is_good) << path << " " << text;
  }
}

TEST(SpecSchema, PromisesNoDurationThatIsOutOfRange) {
  struct Range {
    double min, max;
  };
  for (auto const& [min, max] : {Range{0, 3600}, Range{0, 86400}, Range{0.001, 86400}, Range{1, 86400}, Range{0, 864'000}}) {
    std::regex const pattern(duration_pattern(min, max));
    for (std::string const text : {"0s",    "1s",     "90s",    "3600s",   "3601s", "60m",
                                   "61m",   "1h",     "24h",    "25h",     "1d",    "10d",
                                   "11d",   "500ms",  "1.5h",   "0.5s",    "1m30s", "23h59m59s999ms",
                                   "1h60m", "86400s", "86401s", "864000s", "1ns",   "1us500ns",
                                   "0ms",   "",       "s",      "1",       "1s1m",  "59m59s999ms999us999ns"}) {
      auto const parsed = parse_duration(text);
      auto const seconds = parsed ? std::chrono::duration<double>(*parsed).count() : -1;
      bool const is_accepted = parsed && seconds >= min && seconds <= max;
      if (std::regex_search(text, pattern)) EXPECT_TRUE(is_accepted) << text << " in " << min << " to " << max;
    }
    // What format_duration() writes is documented, since it stands in every answer.
    for (auto const seconds : {1.0, 90.0, 3599.0, 3600.0, max}) {
      auto const text = format_duration(Duration(static_cast<std::int64_t>(seconds * 1e9)));
      EXPECT_TRUE(std::regex_search(text, pattern)) << text << " in " << min << " to " << max;
    }
  }
}

TEST(SpecSchema, ListsEveryFieldAndOnlyWordsThatWork) {
  auto const schema = spec_schema(SchemaFor::Spec);
  auto const& properties = schema.at("properties");
  model::for_each_field<model::ServiceSpec>(
      [&](auto const& field) { EXPECT_FALSE(properties.at(field.name).at("description").is_null()) << field.name; });
  EXPECT_EQ(properties.members().size(), write_spec({}, Defaults::Show).members().size());
  EXPECT_EQ(dump(schema.at("required")), R"(["image"])");
  EXPECT_EQ(dump(properties.at("mode").at("enum")), R"(["replicated",null])");
  EXPECT_EQ(dump(properties.at("on_isolation").at("enum")), R"(["keep","stop",null])");
  EXPECT_EQ(schema.at("additionalProperties").as_bool(), false);
}

TEST(SpecSchema, OfAPatchRequiresNothingButInArrays) {
  auto const schema = spec_schema(SchemaFor::Patch);
  EXPECT_TRUE(schema.at("required").is_null());
  EXPECT_EQ(dump(schema.at("properties").at("ports").at("items").at("oneOf").items()[2].at("required")), R"(["target"])");
}

}  // namespace
}  // namespace davit::codec
