#include "codec/spec.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/json.hpp"

namespace davit::codec {
namespace {

Value json(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : Value();
}

std::string show(std::vector<model::Problem> const& problems) {
  std::string text;
  for (auto const& each : problems) text += each.pointer + " " + each.code + ": " + each.detail + "\n";
  return text;
}

model::ServiceSpec good(std::string_view text) {
  auto read = read_valid_spec("web", json(text));
  EXPECT_TRUE(read.problems.empty()) << text << "\n" << show(read.problems);
  return read.spec;
}

std::string canonical(std::string_view text) { return dump(write_spec(good(text))); }

struct Case {
  std::string text;
  std::string expected;
};

TEST(ReadSpec, TakesEveryShortForm) {
  Case const cases[] = {
      {R"({"image":"a"})", R"({"image":"a"})"},
      {R"({"image":"a","instances":3,"ports":[80]})",
       R"({"image":"a","instances":3,"ports":[{"target":80,"protocol":"tcp","mode":"host"}]})"},
      {R"({"image":"a","instances":3.0})", R"({"image":"a","instances":3})"},
      {R"({"image":"a","ports":["127.0.0.1:8080:80/udp",{"target":81,"name":"x"}]})",
       R"({"image":"a","ports":[{"target":80,"published":8080,"protocol":"udp","mode":"host","host_ip":"127.0.0.1"},{"name":"x","target":81,"protocol":"tcp","mode":"host"}]})"},
      {R"({"image":"a","volumes":["data:/d:ro",{"type":"bind","source":"/s","target":"/t"},"/anon"]})",
       R"({"image":"a","volumes":[{"source":"data","target":"/d","read_only":true},{"type":"bind","source":"/s","target":"/t"},{"target":"/anon"}]})"},
      {R"({"image":"a","command":"sh -c 'echo \"hi\"'","entrypoint":["/x","y z"]})",
       R"({"image":"a","entrypoint":["/x","y z"],"command":["sh","-c","echo \"hi\""]})"},
      {R"({"image":"a","environment":{"A":"b","N":1,"F":1.5}})", R"({"image":"a","environment":{"A":"b","F":"1.5","N":"1"}})"},
      {R"({"image":"a","environment":["A=b","C=d=e","E="]})", R"({"image":"a","environment":{"A":"b","C":"d=e","E":""}})"},
      {R"({"image":"a","tmpfs":"/tmp","dns":["1.1.1.1"]})", R"({"image":"a","tmpfs":["/tmp"],"dns":["1.1.1.1"]})"},
      {R"({"image":"a","ulimits":{"nofile":1024,"nproc":{"soft":1,"hard":2}}})",
       R"({"image":"a","ulimits":{"nofile":{"soft":1024,"hard":1024},"nproc":{"soft":1,"hard":2}}})"},
      {R"({"image":"a","shm_size":"64m","resources":{"limits":{"cpus":1,"memory":"1g"},"reservations":{"cpus":0.5}}})",
       R"({"image":"a","shm_size":67108864,"resources":{"limits":{"cpus":1,"memory":1073741824},"reservations":{"cpus":0.5}}})"},
      {R"({"image":"a","healthcheck":{"test":"true","interval":"1m30s"}})",
       R"({"image":"a","healthcheck":{"test":["CMD-SHELL","true"],"interval":"1m30s"}})"},
      {R"({"image":"a","healthcheck":{}})", R"({"image":"a","healthcheck":{}})"},
      {R"({"image":"a","restart_policy":{"condition":"any","delay":"500ms"},"update_config":{},"stop_grace_period":null,"ports":null})",
       R"({"image":"a"})"},
      {R"({"image":"a","placement":{"constraints":"node.name==n1","strategy":"binpack","spread_by":"zone"}})",
       R"({"image":"a","placement":{"constraints":["node.name==n1"],"strategy":"binpack","spread_by":"zone"}})"},
      {R"({"image":"a","mode":"replicated","on_isolation":"keep","stop_after":"15s","placement":{"strategy":"mix","constraints":[]}})",
       R"({"image":"a"})"},
  };
  for (auto const& [text, expected] : cases) {
    EXPECT_EQ(canonical(text), expected);
    EXPECT_EQ(good(expected), good(text)) << text;
  }
}

struct Bad {
  std::string members;  // beside a good image
  std::string pointer;
  std::string_view code;
  std::string says;  // part of the detail
};

TEST(ReadSpec, NamesTheFieldAndTheWayOut) {
  using namespace model::problem_code;
  Bad const cases[] = {
      {R"("env":{})", "#/env", kUnknownField, "did you mean environment?"},
      {R"("replicas":3)", "#/replicas", kUnknownField, ""},
      {R"("a/b~c":3)", "#/a~1b~0c", kUnknownField, ""},
      {R"("image":null)", "#/image", kRequired, "must be given"},
      {R"("image":7)", "#/image", kWrongType, "expected a string (put it in quotes), got the number 7"},
      {R"("instances":"3")", "#/instances", kWrongType, "expected an integer, got the string \"3\""},
      {R"("instances":true)", "#/instances", kWrongType, "got true"},
      {R"("instances":2.9)", "#/instances", kWrongType, "got the number 2.9"},
      {R"("instances":-1)", "#/instances", kOutOfRange, "must be from 0 to 100000"},
      {R"("instances":100001)", "#/instances", kOutOfRange, "must be from 0 to 100000"},
      {R"("mode":"replicate")", "#/mode", kUnknownValue, "did you mean replicated?"},
      {R"("mode":"job")", "#/mode", kUnsupported, "use replicated"},
      {R"("stop_after":"2s")", "#/stop_after", kOutOfRange, ""},
      {R"("rollback_config":{"order":"stop-frist"})", "#/rollback_config/order", kUnknownValue, "did you mean stop-first?"},
      {R"("update_config":{"failure_action":"undo"})", "#/update_config/failure_action", kUnknownValue, ""},
      {R"("update_config":{"max_failure_ratio":1.5})", "#/update_config/max_failure_ratio", kOutOfRange, "from 0 to 1"},
      {R"("update_config":{"delay":10})", "#/update_config/delay", kWrongType, ""},
      {R"("placement":{"strategy":"binpak"})", "#/placement/strategy", kUnknownValue, "did you mean binpack?"},
      {R"("placement":{"constraints":{"a":1}})", "#/placement/constraints", kWrongType, "an array of strings"},
      {R"("init":"yes")", "#/init", kWrongType, "expected true or false"},
      {R"("init":1)", "#/init", kWrongType, "expected true or false"},
      {R"("ports":80)", "#/ports", kWrongType, "expected an array"},
      {R"("ports":[80,true])", "#/ports/1", kWrongType, "expected a port"},
      {R"("ports":[0])", "#/ports/0", kOutOfRange, "from 1 to 65535"},
      {R"("ports":["8080:http"])", "#/ports/0", kInvalidValue, "'8080:http' is not a port"},
      {R"("ports":[{"published":80}])", "#/ports/0/target", kRequired, "must be given"},
      {R"("ports":[{"target":80,"publish":80}])", "#/ports/0/publish", kUnknownField, "did you mean published?"},
      {R"("ports":[{"target":80,"published":70000}])", "#/ports/0/published", kOutOfRange, ""},
      {R"("ports":[{"target":80,"mode":"ingres"}])", "#/ports/0/mode", kUnknownValue, "did you mean ingress?"},
      {R"("ports":[{"target":80,"published":80,"mode":"ingress","proxy_protocol":1}])", "#/ports/0/proxy_protocol", kWrongType, ""},
      {R"("volumes":["x"])", "#/volumes/0", kInvalidValue, "is not a mount"},
      {R"("volumes":[7])", "#/volumes/0", kWrongType, "expected a mount"},
      {R"("command":"echo 'a")", "#/command", kInvalidValue, "the quote ' is not closed"},
      {R"("command":["sleep",60])", "#/command/1", kWrongType, "put it in quotes"},
      {R"("command":{})", "#/command", kWrongType, "a string or an array of strings"},
      {R"("environment":"A=b")", "#/environment", kWrongType, "an object, or an array"},
      {R"("environment":{"A":true})", "#/environment/A", kWrongType, "write \"true\" in quotes"},
      {R"("environment":{"A":null})", "#/environment/A", kWrongType, "leave the key out"},
      {R"("environment":{"A":{}})", "#/environment/A", kWrongType, "got an object"},
      {R"("environment":["A"])", "#/environment/0", kInvalidValue, "write \"A=value\""},
      {R"("environment":["A=1","A=2"])", "#/environment/1", kDuplicate, "'A' comes twice"},
      {R"("environment":{"A":"x\u0000y"})", "#/environment/A", kInvalidValue, "NUL"},
      {R"("stop_grace_period":10)", "#/stop_grace_period", kWrongType, "a duration with its unit"},
      {R"("stop_grace_period":"10")", "#/stop_grace_period", kInvalidValue, "write it with units"},
      {R"("stop_grace_period":"30h")", "#/stop_grace_period", kOutOfRange, "must be from 0s to 86400s"},
      {R"("healthcheck":{"interval":"0s"})", "#/healthcheck/interval", kOutOfRange, "0.001s"},
      {R"("healthcheck":{"test":7})", "#/healthcheck/test", kWrongType, "starts with CMD"},
      {R"("shm_size":"much")", "#/shm_size", kInvalidValue, "is not a size"},
      {R"("shm_size":-1)", "#/shm_size", kOutOfRange, "at least 0"},
      {R"("shm_size":1.5)", "#/shm_size", kWrongType, ""},
      {R"("resources":{"limits":{"cpus":"1"}})", "#/resources/limits/cpus", kWrongType, "expected a number"},
      {R"("resources":{"limit":{}})", "#/resources/limit", kUnknownField, "did you mean limits?"},
      {R"("resources":[])", "#/resources", kWrongType, "expected an object"},
      {R"("ulimits":{"nofile":"x"})", "#/ulimits/nofile", kWrongType, "expected an object"},
      {R"("ulimits":{"nofile":{"soft":1}})", "#/ulimits/nofile/hard", kRequired, ""},
      {R"("tmpfs":[1])", "#/tmpfs/0", kWrongType, ""},
  };
  for (auto const& [members, pointer, code, says] : cases) {
    auto request = json("{" + members + "}");
    if (!request.as_object()->find("image")) request.set("image", "a");
    auto const problems = read_valid_spec("web", request).problems;
    ASSERT_EQ(problems.size(), 1U) << members << "\n" << show(problems);
    EXPECT_EQ(problems[0].pointer, pointer) << members;
    EXPECT_EQ(problems[0].code, code) << members << ": " << problems[0].detail;
    EXPECT_NE(problems[0].detail.find(says), std::string::npos) << members << ": " << problems[0].detail;
  }
}

TEST(ReadSpec, CollectsAllProblems) {
  auto const read = read_valid_spec("Web", json(R"({"env":1,"instances":"x","ports":[true,"y"],"hostname":"-"})"));
  std::vector<std::string> pointers;
  for (auto const& each : read.problems) pointers.push_back(each.pointer);
  std::ranges::sort(pointers);
  EXPECT_EQ(pointers, (std::vector<std::string>{"#/env", "#/hostname", "#/image", "#/instances", "#/name", "#/ports/0", "#/ports/1"}))
      << show(read.problems);
}

TEST(ReadSpec, RefusesWhatIsNoObject) {
  for (std::string_view const text : {"null", "[]", "\"x\"", "3"}) {
    auto const problems = read_spec(json(text)).problems;
    ASSERT_EQ(problems.size(), 1U) << text;
    EXPECT_EQ(problems[0].pointer, "#");
  }
}

TEST(ReadSpec, BoundsWhatAHostileRequestCosts) {
  Value many = Value::object({{"image", "a"}});
  std::vector<Member> members;
  for (int i = 0; i < 100'000; ++i) members.emplace_back("field" + std::to_string(i), Value(1));
  auto const read = read_spec(Value(*Object::from_members(std::move(members))));
  EXPECT_EQ(read.problems.size(), 100U);
}

TEST(ReadSpec, DoesNotRepeatAMegabyteInItsAnswer) {
  auto const long_key = std::string(1'000'000, 'x');
  auto const inner = Value::object({{"a", 1}, {"b", 2}});
  auto const read =
      read_valid_spec("web", Value::object({{"image", std::string(1'000'000, ' ')}, {"ulimits", Value::object({{long_key, inner}})}}));
  std::size_t size = 0;
  for (auto const& each : read.problems) size += each.pointer.size() + each.detail.size();
  EXPECT_GT(read.problems.size(), 2U);
  EXPECT_LT(size, 10'000U);
}

TEST(ReadSpec, RefusesASpecThatIsTooLarge) {
  auto const problems =
      read_valid_spec("web", Value::object({{"image", "a"}, {"environment", Value::object({{"A", std::string(kMaxSpecBytes, 'x')}})}}))
          .problems;
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].code, model::problem_code::kTooLarge);
}

TEST(WriteSpec, ShowsDefaultsOnDemand) {
  auto const spec = good(R"({"image":"a"})");
  auto const shown = write_spec(spec, Defaults::Show);
  EXPECT_EQ(shown.at("instances").as_int(), 1);
  EXPECT_EQ(shown.at("restart_policy").at("max_delay").text(), "1m");
  EXPECT_TRUE(shown.at("healthcheck").is_null());
  auto const read = read_valid_spec("web", shown);
  EXPECT_TRUE(read.problems.empty()) << show(read.problems);
  EXPECT_EQ(read.spec, spec);
}

TEST(MergePatch, FollowsTheExamplesOfRfc7396) {
  struct {
    std::string_view target, patch, result;
  } const cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (auto const& [target, patch, result] : cases)
    EXPECT_EQ(dump(merge_patch(json(target), json(patch))), result) << target << " + " << patch;
}

TEST(MergePatch, PutsTheCanonicalSpecBackUnchanged) {
  auto const spec = good(R"({"image":"a","instances":3,"ports":["8080:80"],"environment":{"A":"b"},"stop_grace_period":"5s"})");
  auto const text = write_spec(spec);
  auto const read = read_valid_spec("web", merge_patch(text, text));
  EXPECT_EQ(read.spec, spec);
}

TEST(Diff, NamesEachFieldWithItsConsequence) {
  auto const before = good(R"({"image":"a","environment":{"A":"1","B":"2"},"healthcheck":{"test":"x"}})");
  auto const after = good(R"({"image":"b","instances":2,"environment":{"A":"1","B":"3","C":"4"},"restart_policy":{"delay":"1s"}})");
  using enum model::Change;
  std::vector<Difference> const expected{
      {"#/image", R"("a")", R"("b")", Replace},
      {"#/instances", "1", "2", InPlace},
      {"#/environment/B", R"("2")", R"("3")", Replace},
      {"#/environment/C", "", R"("4")", Replace},
      {"#/healthcheck", R"({"test":["CMD-SHELL","x"]})", "", Replace},
      {"#/restart_policy/delay", R"("500ms")", R"("1s")", None},
  };
  EXPECT_EQ(diff(before, after), expected);
  EXPECT_TRUE(diff(after, after).empty());
}

}  // namespace
}  // namespace davit::codec
