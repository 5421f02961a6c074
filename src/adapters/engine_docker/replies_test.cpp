#include "adapters/engine_docker/replies.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "adapters/engine_docker/engine_json.hpp"
#include "adapters/engine_docker/events_watch.hpp"
#include "codec/json.hpp"

namespace davit::engine_docker {
namespace {

codec::Value json(std::string_view text) {
  auto value = codec::parse_json(text);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *value : codec::Value();
}

TEST(Replies, ReadsAContainerThatHasEnded) {
  auto const got = read_container(json(R"({
    "Id": "8c1f", "Name": "/web.1.x", "Created": "2026-01-02T03:04:05.123456789Z",
    "State": {"Status": "exited", "Running": false, "OOMKilled": true, "ExitCode": 137, "Error": "",
              "StartedAt": "2026-01-02T03:04:06Z", "FinishedAt": "2026-01-02T03:04:07Z"},
    "Config": {"Labels": {"davit.cluster": "c"}, "Tty": false},
    "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "20001"}], "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}]}},
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": ""}}}})"));
  EXPECT_EQ(got.name, "web.1.x");
  EXPECT_EQ(got.state, model::ContainerState::Exited);
  EXPECT_EQ(got.exit_code, 137);
  EXPECT_TRUE(got.oom_killed);
  EXPECT_EQ(got.labels.at("davit.cluster"), "c");
  EXPECT_EQ(got.created_at, *parse_rfc3339("2026-01-02T03:04:05.123Z"));
  EXPECT_EQ(got.finished_at, *parse_rfc3339("2026-01-02T03:04:07Z"));
  std::vector<model::PublishedPort> const ports{{"", 53, model::Protocol::Udp, "127.0.0.1", 53},
                                                {"", 80, model::Protocol::Tcp, "0.0.0.0", 20001}};
  EXPECT_EQ(got.ports, ports);
  EXPECT_EQ(got.address, "");
}

TEST(Replies, ReadsHealthAndAddressOfARunningContainer) {
  auto const got = read_container(json(R"({
    "Id": "8c1f", "Name": "/a",
    "State": {"Status": "running", "FinishedAt": "0001-01-01T00:00:00Z",
              "Health": {"Status": "unhealthy", "Log": [{"ExitCode": 1, "Output": "first"}, {"ExitCode": 1, "Output": "refused\n"}, {"ExitCode": 0, "Output": "ok"}]}},
    "NetworkSettings": {"Networks": {"a": {"IPAddress": "172.18.0.2"}, "b": {"IPAddress": "172.19.0.2"}}}})"));
  EXPECT_EQ(got.health, model::Health::Unhealthy);
  EXPECT_EQ(got.health_output, "refused");
  EXPECT_EQ(got.address, "172.18.0.2");
  EXPECT_FALSE(got.finished_at);
}

TEST(Replies, ReadsTheAddressOfAContainerThatHasNoneButIPv6) {
  auto const got = read_container(json(R"({
    "Id": "8c1f", "Name": "/a", "State": {"Status": "running"},
    "NetworkSettings": {"Networks": {"a": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}}})"));
  EXPECT_EQ(got.address, "fd00::2");
}

TEST(Replies, ShortensLongOutputBetweenCharacters) {
  std::string output;
  for (int i = 0; i < 400; ++i) output += "xé";
  auto inspected = json(R"({"State": {"Health": {"Status": "unhealthy", "Log": []}}})");
  auto const log = codec::Value::array(codec::Value::object({{"ExitCode", 1}, {"Output", output}}));
  auto const got =
      read_container(codec::Value::object({{"State", codec::Value::object({{"Health", codec::Value::object({{"Log", log}})}})}}));
  EXPECT_LE(got.health_output.size(), 515U);
  EXPECT_TRUE(got.health_output.ends_with("…"));
  auto const again = codec::parse_json(codec::escape_json(got.health_output));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), got.health_output);
}

TEST(Replies, CleansTheErrorOfAFailedStart) {
  auto const got = read_container(json(R"({"State": {"Status": "created", "ExitCode": 127,
    "Error": "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"x\": executable file not found in $PATH: unknown"}})"));
  EXPECT_EQ(got.error, "exec: \"x\": executable file not found in $PATH");
  EXPECT_EQ(got.state, model::ContainerState::Created);
}

TEST(Replies, ReadsAList) {
  auto const got = read_list(
      json(R"([{"Id": "1", "Names": ["/a"], "Labels": {"x": "y"}, "State": "running"}, {"Id": "2", "Names": null, "State": "dead"}])"));
  ASSERT_EQ(got.all.size(), 2U);
  EXPECT_EQ(got.all[0], (model::ContainerSummary{"1", "a", {{"x", "y"}}, model::ContainerState::Running}));
  EXPECT_EQ(got.all[1].state, model::ContainerState::Dead);
}

TEST(Replies, KnowsAHealthcheckFromItsAbsence) {
  EXPECT_TRUE(read_image(json(R"({"Id": "sha256:1", "Config": {"Healthcheck": {"Test": ["CMD-SHELL", "true"]}}})")).has_healthcheck);
  EXPECT_FALSE(read_image(json(R"({"Id": "sha256:1", "Config": {"Healthcheck": {"Test": ["NONE"]}}})")).has_healthcheck);
  EXPECT_FALSE(read_image(json(R"({"Id": "sha256:1", "Config": {}, "RepoDigests": null})")).has_healthcheck);
}

TEST(Replies, TakesThePageCacheOffTheMemory) {
  auto const v1 = read_stats(json(R"({"cpu_stats": {"cpu_usage": {"total_usage": 163241540}},
    "memory_stats": {"usage": 921600, "stats": {"inactive_file": 5, "total_inactive_file": 21600}}})"));
  EXPECT_EQ(v1.cpu_time, Duration(163241540));
  EXPECT_EQ(v1.memory, Bytes{900000});
  auto const v2 = read_stats(json(R"({"memory_stats": {"usage": 100, "stats": {"inactive_file": 40}}})"));
  EXPECT_EQ(v2.memory, Bytes{60});
  EXPECT_EQ(read_stats(json(R"({"read": "0001-01-01T00:00:00Z", "memory_stats": {}})")), model::ContainerStats{});
}

TEST(Replies, SurviveUnsignedIntegers) {
  auto const got =
      parse_engine_json(R"({"pids_stats": {"current": 1, "limit": 18446744073709551615}, "text": "\"18446744073709551615", "d": -1.5e3})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->at("pids_stats").at("limit").as_int(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(got->at("text").text(), "\"18446744073709551615");
  EXPECT_EQ(got->at("d").as_number(), -1500.0);
  EXPECT_FALSE(parse_engine_json("{\"a\": 1"));
}

TEST(Replies, ReadsTheEngine) {
  auto const got =
      read_info(json(R"({"Version": "27.1.1", "Os": "linux", "Arch": "amd64"})"), json(R"({"NCPU": 8, "MemTotal": 16777216000})"), {1, 46});
  EXPECT_EQ(got, (model::EngineInfo{"27.1.1", "1.46", "linux/amd64", 8, Bytes{16777216000}}));
}

std::string touched_container(std::string_view line) {
  auto const hint = container_hint(line);
  auto const* touched = hint ? std::get_if<model::ContainerTouched>(&*hint) : nullptr;
  return touched ? touched->id : "";
}

TEST(Events, TellOfANewContainerAndWhoseItIs) {
  auto const hint = container_hint(R"({"Type":"container","Action":"create","Actor":{"ID":"8c1f","Attributes":{"davit.cluster":"c9"}}})");
  ASSERT_TRUE(hint);
  auto const* appeared = std::get_if<model::ContainerAppeared>(&*hint);
  ASSERT_TRUE(appeared);
  EXPECT_EQ(appeared->id, "8c1f");
  EXPECT_EQ(appeared->cluster, "c9");
}

TEST(Events, WakeUpForContainersButNotForWhatProbesDo) {
  EXPECT_EQ(touched_container(R"({"Type":"container","Action":"die","Actor":{"ID":"8c1f"}})"), "8c1f");
  EXPECT_EQ(touched_container(R"({"Type":"container","Action":"health_status: healthy","Actor":{"ID":"8c1f"}})"), "8c1f");
  EXPECT_FALSE(container_hint(R"({"Type":"container","Action":"exec_create: true","Actor":{"ID":"8c1f"}})"));
  EXPECT_FALSE(container_hint(R"({"Type":"network","Action":"connect","Actor":{"ID":"8c1f"}})"));
  EXPECT_FALSE(container_hint("{"));
}

}  // namespace
}  // namespace davit::engine_docker
