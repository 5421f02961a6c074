#include "cli/spec_flags.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "codec/json.hpp"
#include "codec/spec.hpp"

namespace davit::cli {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

Invocation invocation_of(Given const& given) {
  Invocation invocation;
  for (auto const& [option, value] : given) invocation.add(option, value);
  return invocation;
}

std::string spec_text(std::string_view before, Given const& given) {
  auto spec = *codec::parse_json(before);
  auto const status = apply_flags(invocation_of(given), spec);
  return status ? codec::dump(spec) : status.error().message;
}

TEST(SpecFlags, MakeTheBodyOfARequest) {
  struct {
    Given given;
    std::string body;
  } const cases[] = {
      {{}, R"({})"},
      {{{"instances", "3"}}, R"({"instances":3})"},
      {{{"instances", "many"}}, R"({"instances":"many"})"},  // the server's to refuse
      {{{"publish", "80"}, {"publish", "8080:81/udp"}}, R"({"ports":["80","8080:81/udp"]})"},
      {{{"publish", "published=8080,target=80,mode=host"}}, R"({"ports":[{"published":8080,"target":80,"mode":"host"}]})"},
      {{{"publish", "8080:80"}, {"ingress", "true"}}, R"({"ports":[{"target":80,"published":8080,"protocol":"tcp","mode":"ingress"}]})"},
      {{{"publish", "published=53,target=53,protocol=udp"}, {"ingress", "true"}},
       R"({"ports":[{"published":53,"target":53,"protocol":"udp","mode":"ingress"}]})"},
      {{{"publish", "published=8080,target=80,mode=ingress,proxy_protocol=true"}},
       R"({"ports":[{"published":8080,"target":80,"mode":"ingress","proxy_protocol":true}]})"},
      {{{"publish", "127.0.0.1::80"}, {"ingress", "true"}},  // the server's to refuse
       R"({"ports":[{"target":80,"protocol":"tcp","mode":"ingress","host_ip":"127.0.0.1"}]})"},
      {{{"publish", "http"}, {"ingress", "true"}}, R"({"ports":["http"]})"},
      {{{"ingress", "true"}}, "--ingress goes with --publish: -p 8080:80 --ingress"},
      {{{"env", "A=1"}, {"env", "B=x=y"}, {"env", "A=2"}}, R"({"environment":{"A":"2","B":"x=y"}})"},
      {{{"label", "tier=front"}, {"label", "bare"}}, R"({"labels":{"tier":"front","bare":""}})"},
      {{{"mount", "type=bind,src=/srv,dst=/data,readonly"}},
       R"({"volumes":[{"type":"bind","source":"/srv","target":"/data","read_only":true}]})"},
      {{{"volume", "data:/data:ro"}}, R"({"volumes":["data:/data:ro"]})"},
      {{{"ulimit", "nofile=1024:2048"}, {"ulimit", "core=0"}},
       R"({"ulimits":{"nofile":{"soft":1024,"hard":2048},"core":{"soft":0,"hard":0}}})"},
      {{{"limit-cpu", "0.5"}, {"limit-memory", "64m"}, {"reserve-cpu", "1"}},
       R"({"resources":{"limits":{"cpus":0.5,"memory":"64m"},"reservations":{"cpus":1}}})"},
      {{{"health-cmd", "true"}, {"health-retries", "2"}}, R"({"healthcheck":{"test":"true","retries":2}})"},
      {{{"no-healthcheck", "true"}}, R"({"healthcheck":{"disable":true}})"},
      {{{"restart-max-attempts", "4"}, {"restart-condition", "none"}}, R"({"restart_policy":{"condition":"none","attempts_per_node":4}})"},
      {{{"log-driver", "journald"}, {"log-opt", "tag=x"}}, R"({"logging":{"driver":"journald","options":{"tag":"x"}}})"},
      {{{"cap-add", "NET_ADMIN"}, {"cap-add", "NET_ADMIN"}}, R"({"cap_add":["NET_ADMIN"]})"},
      {{{"constraint", "node.role==worker"}, {"strategy", "binpack"}, {"spread-by", "zone"}, {"replicas-max-per-node", "2"}},
       R"({"placement":{"constraints":["node.role==worker"],"max_replicas_per_node":2,"strategy":"binpack","spread_by":"zone"}})"},
      {{{"placement-pref", "spread=node.labels.zone"}}, R"({"placement":{"preferences":["spread=node.labels.zone"]}})"},
      {{{"mount", "type=bind,sorce=/srv"}}, "--mount: no such key: sorce; did you mean source?"},
      {{{"ulimit", "nofile"}}, "--ulimit: nofile has no limit; write it as nofile=1024 or nofile=1024:2048"},
      {{{"env-file", "/no/such/file"}}, "--env-file: /no/such/file cannot be read"},
  };
  for (auto const& each : cases) EXPECT_EQ(spec_text("{}", each.given), each.body);
}

TEST(SpecFlags, EditASpecThatStands) {
  struct {
    std::string before;
    Given given;
    std::string after;
  } const cases[] = {
      {R"({"image":"a","environment":{"A":"1","B":"2"}})",
       {{"env", "C=3"}, {"env-rm", "A"}},
       R"({"image":"a","environment":{"B":"2","C":"3"}})"},
      {R"({"ports":[{"target":80,"protocol":"tcp"},{"target":80,"protocol":"udp"}]})",
       {{"publish", "8080:80"}},
       R"({"ports":[{"target":80,"protocol":"udp"},"8080:80"]})"},
      {R"({"ports":[{"target":80,"protocol":"tcp"},{"target":81}]})", {{"publish-rm", "80"}}, R"({"ports":[{"target":81}]})"},
      {R"({"volumes":[{"type":"volume","source":"a","target":"/data"}]})", {{"volume", "b:/data"}}, R"({"volumes":["b:/data"]})"},
      {R"({"volumes":[{"type":"volume","source":"a","target":"/data"}]})", {{"mount-rm", "/data"}}, R"({"volumes":[]})"},
      {R"({"placement":{"constraints":["node.name==a","node.name!=b"]}})",
       {{"constraint-rm", "node.name==a"}, {"constraint", "node.role==worker"}},
       R"({"placement":{"constraints":["node.name!=b","node.role==worker"]}})"},
      {R"({"labels":{"a":"1"},"container_labels":{"b":"1"}})",
       {{"label-rm", "a"}, {"container-label-rm", "b"}},
       R"({"labels":{},"container_labels":{}})"},
      {R"({"healthcheck":{"test":["CMD","true"],"retries":5}})",
       {{"health-retries", "2"}},
       R"({"healthcheck":{"test":["CMD","true"],"retries":2}})"},
      {R"({"init":true})", {{"init", "false"}}, R"({"init":false})"},
  };
  for (auto const& each : cases) EXPECT_EQ(spec_text(each.before, each.given), each.after);
}

TEST(SpecFlags, TakeVariablesFromTheEnvironmentAndFiles) {
  auto const path = testing::TempDir() + "davit_env_file";
  std::ofstream(path) << "# comment\n\nA=1\r\nDAVIT_TEST_VARIABLE\n";
  ::setenv("DAVIT_TEST_VARIABLE", "here", 1);
  EXPECT_EQ(spec_text("{}", {{"env-file", path}}), R"({"environment":{"A":"1","DAVIT_TEST_VARIABLE":"here"}})");
  ::unsetenv("DAVIT_TEST_VARIABLE");
  EXPECT_EQ(spec_text("{}", {{"env", "DAVIT_TEST_VARIABLE"}}), R"({"environment":null})");
  std::remove(path.c_str());
}

// What the flags make is what the server reads, but for what it has not built yet.
TEST(SpecFlags, MakeSpecsThatTheServerUnderstands) {
  auto spec = codec::Value::object({{"image", "nginx:1"}});
  ASSERT_TRUE(apply_flags(invocation_of({{"instances", "2"},
                                         {"publish", "80"},
                                         {"publish", "published=8081,target=81,protocol=udp"},
                                         {"env", "A=1"},
                                         {"label", "a=b"},
                                         {"mount", "type=volume,source=data,target=/data"},
                                         {"volume", "/srv:/srv:ro"},
                                         {"tmpfs", "/tmp"},
                                         {"entrypoint", "sh -c"},
                                         {"ulimit", "nofile=1024"},
                                         {"sysctl", "a.b=1"},
                                         {"shm-size", "64m"},
                                         {"health-cmd", "true"},
                                         {"limit-cpu", "0.5"},
                                         {"limit-memory", "64m"},
                                         {"restart-delay", "1s"},
                                         {"pull", "always"},
                                         {"update-order", "stop-first"},
                                         {"drain-delay", "1s"},
                                         {"log-opt", "max-size=1m"},
                                         {"stop-grace-period", "3s"}}),
                          spec));
  auto const read = codec::read_spec(spec);
  for (auto const& problem : read.problems) ADD_FAILURE() << problem.pointer << ": " << problem.detail;
  EXPECT_EQ(read.spec.ports.size(), 2U);
  EXPECT_EQ(read.spec.volumes.size(), 2U);
}

TEST(SpecFlags, AllHaveADocFromTheFieldTables) {
  for (auto const& option : spec_options(true)) EXPECT_FALSE(option.help.empty()) << option.name;
  EXPECT_EQ(doc_of_field("resources/limits/cpus"), "Cores; 0 is none.");
  EXPECT_EQ(doc_of_field("healthcheck/retries"), "Failures in a row that make the instance unhealthy.");
  EXPECT_EQ(doc_of_field("no_such_field"), "");
}

TEST(SpecFlags, NameThePlacesOfProblems) {
  EXPECT_EQ(flag_of_pointer("#/ports/0/published"), "--publish");
  EXPECT_EQ(flag_of_pointer("#/resources/limits/cpus"), "--limit-cpu");
  EXPECT_EQ(flag_of_pointer("#/environment/A"), "--env A");
  EXPECT_EQ(flag_of_pointer("#/name"), "--name");
  EXPECT_EQ(flag_of_pointer("#/image"), "IMAGE");
  EXPECT_EQ(flag_of_pointer("#/command/0"), "COMMAND");
  EXPECT_EQ(flag_of_pointer("#/else"), "#/else");
}

}  // namespace
}  // namespace davit::cli
