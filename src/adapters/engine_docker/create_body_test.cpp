#include "adapters/engine_docker/create_body.hpp"

#include <gtest/gtest.h>

#include "codec/json.hpp"

namespace davit::engine_docker {
namespace {

model::CreateContainer wanted(model::ServiceSpec spec) {
  model::CreateContainer out;
  out.name = "web.1.k3v9x1c0qp7d";
  out.image = spec.image;
  out.spec = std::make_shared<model::ServiceSpec const>(std::move(spec));
  return out;
}

std::string pretty(model::CreateContainer const& call, ApiVersion version = kNewestApi) {
  return codec::dump(create_body(call, version), codec::Indent::Pretty);
}

TEST(CreateBody, OfTheSmallestSpecBoundsTheLogAndRestartsNothing) {
  EXPECT_EQ(codec::dump(create_body(wanted({.image = "nginx"}), kNewestApi)),
            R"({"Image":"nginx","Env":[],"Labels":{},"StopTimeout":10,"HostConfig":{"RestartPolicy":{"Name":"no"},)"
            R"("LogConfig":{"Type":"json-file","Config":{"max-file":"3","max-size":"10m"}}}})");
}

model::ServiceSpec full_spec() {
  model::ServiceSpec spec;
  spec.image = "nginx:1.27";
  spec.entrypoint.items = {"/bin/sh", "-c"};
  spec.command.items = {"exec nginx"};
  spec.environment.items = {{"A", "1"}, {"DAVIT_SLOT", "mine"}};
  spec.container_labels.items = {{"davit.slot", "mine"}, {"team", "x"}};
  spec.volumes = {{model::MountType::Volume, "data", "/data", false},
                  {model::MountType::Volume, "", "/cache", false},
                  {model::MountType::Bind, "/etc/x", "/x", true},
                  {model::MountType::Tmpfs, "", "/scratch", false}};
  spec.tmpfs = {"/run", "/tmp:size=64m,mode=1777"};
  spec.user = "1000:1000";
  spec.working_dir = "/srv";
  spec.hostname = "web";
  spec.init = spec.tty = spec.read_only = spec.privileged = true;
  spec.cap_add = {"NET_ADMIN"};
  spec.cap_drop = {"ALL"};
  spec.devices = {"/dev/fuse", "/dev/a:/dev/b", "/dev/c:/dev/d:r"};
  spec.security_opt = {"no-new-privileges"};
  spec.ulimits = {{"nofile", {1024, 2048}}};
  spec.sysctls.items = {{"net.core.somaxconn", "1024"}};
  spec.shm_size = Bytes{64 << 20};
  spec.network_mode = "bridge";
  spec.extra_hosts = {"db:10.0.0.5"};
  spec.dns = {"1.1.1.1"};
  spec.dns_search = {"davit"};
  spec.logging.driver = "journald";
  spec.logging.options.items = {{"tag", "web"}};
  spec.stop_signal = "SIGQUIT";
  spec.stop_grace_period = 1500ms;
  spec.healthcheck.emplace();
  spec.healthcheck->test.items = {"CMD", "true"};
  spec.resources.limits = {0.5, Bytes{512 << 20}};
  return spec;
}

TEST(CreateBody, CarriesTheWholeSpec) {
  auto call = wanted(full_spec());
  call.labels = {{"davit.slot", "1"}};
  call.environment = {{"DAVIT_SLOT", "1"}};
  call.ports = {{"http", 80, model::Protocol::Tcp, "0.0.0.0", 20000}, {"dns", 53, model::Protocol::Udp, "127.0.0.1", 20001}};
  auto const expected = codec::parse_json(R"({
    "Image": "nginx:1.27", "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["exec nginx"],
    "Env": ["A=1", "DAVIT_SLOT=1"], "Labels": {"davit.slot": "1", "team": "x"},
    "User": "1000:1000", "WorkingDir": "/srv", "Hostname": "web", "Tty": true, "StopSignal": "SIGQUIT", "StopTimeout": 2,
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 30000000000, "Timeout": 30000000000, "Retries": 3, "StartPeriod": 0,
                    "StartInterval": 5000000000},
    "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    "HostConfig": {
      "RestartPolicy": {"Name": "no"},
      "LogConfig": {"Type": "journald", "Config": {"tag": "web"}},
      "PortBindings": {"53/udp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}], "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "20000"}]},
      "Mounts": [{"Type": "volume", "Target": "/data", "Source": "data"}, {"Type": "volume", "Target": "/cache"},
                 {"Type": "bind", "Target": "/x", "Source": "/etc/x", "ReadOnly": true}, {"Type": "tmpfs", "Target": "/scratch"}],
      "Tmpfs": {"/run": "", "/tmp": "size=64m,mode=1777"},
      "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"},
                  {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "rwm"},
                  {"PathOnHost": "/dev/c", "PathInContainer": "/dev/d", "CgroupPermissions": "r"}],
      "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}], "Sysctls": {"net.core.somaxconn": "1024"}, "ShmSize": 67108864,
      "NanoCpus": 500000000, "Memory": 536870912, "MemorySwap": 536870912,
      "NetworkMode": "bridge", "ExtraHosts": ["db:10.0.0.5"], "Dns": ["1.1.1.1"], "DnsSearch": ["davit"],
      "CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"],
      "Privileged": true, "ReadonlyRootfs": true, "Init": true
    }})");
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(pretty(call), codec::dump(*expected, codec::Indent::Pretty));
}

TEST(CreateBody, LeavesStartIntervalOutForOldEngines) {
  auto const body = create_body(wanted(full_spec()), ApiVersion{1, 43});
  EXPECT_TRUE(body.at("Healthcheck").at("StartInterval").is_null());
  EXPECT_FALSE(body.at("Healthcheck").at("Interval").is_null());
}

TEST(CreateBody, TurnsTheImagesCheckOffWhereTheSpecSaysSoOrProbesItself) {
  for (int which = 0; which < 3; ++which) {
    auto spec = full_spec();
    if (which == 0) spec.healthcheck->disable = true;
    if (which == 1) spec.healthcheck->http = model::HttpProbe{80, "/"};
    if (which == 2) spec.healthcheck->tcp = model::TcpProbe{80};
    EXPECT_EQ(codec::dump(create_body(wanted(spec), kNewestApi).at("Healthcheck")), R"({"Test":["NONE"]})");
  }
}

TEST(CreateBody, BindsOnePortTwice) {
  auto call = wanted({.image = "dns"});
  call.ports = {{"", 53, model::Protocol::Udp, "0.0.0.0", 53}, {"", 53, model::Protocol::Udp, "0.0.0.0", 5353}};
  EXPECT_EQ(create_body(call, kNewestApi).at("HostConfig").at("PortBindings").at("53/udp").items().size(), 2U);
}

TEST(CreateBody, KeepsTheUsersBoundOfTheLog) {
  model::ServiceSpec spec{.image = "x"};
  spec.logging.options.items = {{"max-size", "1m"}};
  EXPECT_EQ(codec::dump(create_body(wanted(spec), kNewestApi).at("HostConfig").at("LogConfig")),
            R"({"Type":"json-file","Config":{"max-file":"3","max-size":"1m"}})");
}

}  // namespace
}  // namespace davit::engine_docker
