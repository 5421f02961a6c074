#include "model/validate.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "model/constraint.hpp"
#include "model/syntax.hpp"

namespace davit::model {
namespace {

ServiceSpec plain() {
  ServiceSpec spec;
  spec.image = "nginx:1.27";
  return spec;
}

std::string show(std::vector<Problem> const& problems) {
  std::string text;
  for (auto const& each : problems) text += each.pointer + " " + each.code + ": " + each.detail + "\n";
  return text;
}

PortSpec port(std::int64_t target, std::optional<std::int64_t> published = {}, std::optional<std::int64_t> end = {}) {
  PortSpec made;
  made.target = target;
  made.published = published;
  made.published_end = end;
  return made;
}

PortSpec ingress(std::int64_t target, std::int64_t published, std::optional<std::int64_t> end = {}) {
  auto made = port(target, published, end);
  made.mode = PortMode::Ingress;
  return made;
}

TEST(Validate, AcceptsAPlainSpec) {
  for (auto const& name : std::vector<std::string>{"web", "a", "stack_web", "w-1", std::string(63, 'a')}) {
    EXPECT_TRUE(validate(name, plain()).empty()) << name << "\n" << show(validate(name, plain()));
  }
}

TEST(Validate, RefusesNames) {
  for (auto const& name : std::vector<std::string>{"Web", "-a", "a-", "a.b", "a b", "node", "davit-x", "é", std::string(64, 'a')}) {
    auto const problems = validate(name, plain());
    ASSERT_EQ(problems.size(), 1U) << name;
    EXPECT_EQ(problems[0].pointer, "#/name");
  }
}

struct Case {
  std::function<void(ServiceSpec&)> spoil;
  std::string pointer;
  std::string_view code;
  std::string says;
};

TEST(Validate, NamesTheFieldAndTheWayOut) {
  using namespace problem_code;
  Case const cases[] = {
      {[](auto& s) { s.image = "Nginx"; }, "#/image", kInvalidValue, "upper-case"},
      {[](auto& s) { s.image = "a b"; }, "#/image", kInvalidValue, "has a blank"},
      {[](auto& s) { s.image = std::string(64, 'a'); }, "#/image", kInvalidValue, "an image's id"},
      {[](auto& s) { s.image = "a@sha256:zz"; }, "#/image", kInvalidValue, "64 hexadecimal digits"},
      {[](auto& s) { s.ports = {port(80, 8080), port(81, 8080)}; }, "#/ports/1/published", kDuplicate, "port 0"},
      {[](auto& s) { s.ports = {port(80, 8080, 8090), port(81, 8085, 8100)}; }, "#/ports/1/published", kDuplicate, "port 0"},
      {[](auto& s) { s.ports = {port(80), port(80)}; }, "#/ports/1", kDuplicate, "the same as port 0"},
      {[](auto& s) { s.ports = {port(80, 90, 80)}; }, "#/ports/0/published_end", kInvalidValue, "below published"},
      {[](auto& s) { s.ports = {port(80, {}, 80)}; }, "#/ports/0/published_end", kConflict, "needs published"},
      {[](auto& s) {
         s.ports = {port(80)};
         s.ports[0].host_ip = "localhost";
       },
       "#/ports/0/host_ip", kInvalidValue, "not an IP address"},
      {[](auto& s) {
         s.ports = {port(80)};
         s.ports[0].mode = PortMode::Ingress;
       },
       "#/ports/0/published", kRequired, "every node listens on"},
      {[](auto& s) { s.ports = {ingress(80, 8080, 8090)}; }, "#/ports/0/published_end", kConflict, "one port"},
      {[](auto& s) {
         s.ports = {ingress(80, 8080)};
         s.ports[0].host_ip = "127.0.0.1";
       },
       "#/ports/0/host_ip", kConflict, "all addresses"},
      {[](auto& s) {
         s.ports = {ingress(80, 8080)};
         s.ports[0].protocol = Protocol::Sctp;
       },
       "#/ports/0/protocol", kUnsupported, "use host"},
      {[](auto& s) {
         s.ports = {ingress(80, 8080)};
         s.ports[0].protocol = Protocol::Udp;
         s.ports[0].proxy_protocol = true;
       },
       "#/ports/0/proxy_protocol", kConflict, "only tcp"},
      {[](auto& s) {
         s.ports = {port(80)};
         s.ports[0].proxy_protocol = true;
       },
       "#/ports/0/proxy_protocol", kConflict, "needs mode ingress"},
      {[](auto& s) { s.ports = {port(80, 8080), ingress(81, 8080)}; }, "#/ports/1/published", kDuplicate, "port 0"},
      {[](auto& s) {
         s.ports = {port(80), port(81)};
         s.ports[0].name = s.ports[1].name = "x";
       },
       "#/ports/1/name", kDuplicate, "port 0"},
      {[](auto& s) { s.ports.resize(1001, port(80)); }, "#/ports", kTooLarge, "at most 1000"},
      {[](auto& s) {
         s.ports = {port(80)};
         s.network_mode = "host";
       },
       "#/ports", kConflict, "leave ports out"},
      {[](auto& s) { s.volumes = {{MountType::Volume, "x1", "rel", false}}; }, "#/volumes/0/target", kInvalidValue, "absolute"},
      {[](auto& s) { s.volumes = {{MountType::Volume, "x1", "/", false}}; }, "#/volumes/0/target", kInvalidValue, "other than /"},
      {[](auto& s) { s.volumes = {{MountType::Volume, "x1", "/d", false}, {MountType::Volume, "x2", "/d/", false}}; }, "#/volumes/1/target",
       kDuplicate, "/d is mounted"},
      {[](auto& s) {
         s.volumes = {{MountType::Volume, "x1", "/d", false}};
         s.tmpfs = {"/d:size=1m"};
       },
       "#/tmpfs/0", kDuplicate, "/d is mounted"},
      {[](auto& s) { s.volumes = {{MountType::Bind, "x", "/d", false}}; }, "#/volumes/0/source", kInvalidValue,
       "absolute path of the node"},
      {[](auto& s) { s.volumes = {{MountType::Volume, "/x", "/d", false}}; }, "#/volumes/0/source", kInvalidValue, "type bind"},
      {[](auto& s) { s.environment.items[""] = "x"; }, "#/environment/", kInvalidValue, "not be empty"},
      {[](auto& s) { s.environment.items["a=b"] = "x"; }, "#/environment/a=b", kInvalidValue, "no '='"},
      {[](auto& s) { s.container_labels.items["davit.x"] = ""; }, "#/container_labels/davit.x", kInvalidValue, "Davit's own"},
      {[](auto& s) { s.ulimits["nofil"] = {1, 1}; }, "#/ulimits/nofil", kUnknownField, "did you mean nofile?"},
      {[](auto& s) { s.ulimits["nofile"] = {2, 1}; }, "#/ulimits/nofile", kInvalidValue, "above hard, 1"},
      {[](auto& s) { s.ulimits["nofile"] = {-1, 1}; }, "#/ulimits/nofile", kInvalidValue, "above hard, 1"},
      {[](auto& s) { s.resources.limits.memory = Bytes{1024}; }, "#/resources/limits/memory", kInvalidValue, "6 MiB"},
      {[](auto& s) { s.resources.limits.memory = Bytes{INT64_MAX}; }, "#/resources/limits/memory", kInvalidValue, "1 PiB"},
      {[](auto& s) { s.resources.reservations.memory = Bytes{INT64_MAX}; }, "#/resources/reservations/memory", kInvalidValue, "1 PiB"},
      {[](auto& s) { s.resources.limits.cpus = 0.001; }, "#/resources/limits/cpus", kInvalidValue, "0.01"},
      {[](auto& s) { s.resources = {{1, Bytes{8 << 20}}, {1, Bytes{9 << 20}}}; }, "#/resources/reservations/memory", kConflict, "8 MiB"},
      {[](auto& s) { s.resources = {{1, {}}, {2, {}}}; }, "#/resources/reservations/cpus", kConflict, "above the limit, 1"},
      {[](auto& s) { s.healthcheck.emplace().test.items = {"wget", "x"}; }, "#/healthcheck/test", kInvalidValue, "CMD-SHELL"},
      {[](auto& s) { s.healthcheck.emplace().test.items = {"CMD"}; }, "#/healthcheck/test", kInvalidValue, "CMD-SHELL"},
      {[](auto& s) { s.network_mode = "container:x"; }, "#/network_mode", kUnsupported, "another node"},
      {[](auto& s) { s.stop_signal = "SIGNOPE"; }, "#/stop_signal", kInvalidValue, "SIGTERM"},
      {[](auto& s) { s.hostname = "a_b"; }, "#/hostname", kInvalidValue, "letters"},
      {[](auto& s) { s.working_dir = "x"; }, "#/working_dir", kInvalidValue, "absolute"},
      {[](auto& s) { s.devices = {"sda"}; }, "#/devices/0", kInvalidValue, "/dev/a"},
      {[](auto& s) { s.extra_hosts = {"a:1.1.1.1", "b"}; }, "#/extra_hosts/1", kInvalidValue, "name:address"},
      {[](auto& s) { s.dns = {"x"}; }, "#/dns/0", kInvalidValue, "IP address"},
      {[](auto& s) { s.placement.constraints = {"node.labels.a==b", "node.labels.disk=ssd"}; }, "#/placement/constraints/1", kInvalidValue,
       "node.labels.disk==ssd"},
      {[](auto& s) { s.placement.constraints = {"node.label.disk==ssd"}; }, "#/placement/constraints/0", kInvalidValue, "node.labels.KEY"},
      {[](auto& s) { s.placement.constraints = {"node.labels.==ssd"}; }, "#/placement/constraints/0", kInvalidValue, "node.labels.KEY"},
      {[](auto& s) { s.placement.constraints = {"node.name== "}; }, "#/placement/constraints/0", kInvalidValue, "behind =="},
      {[](auto& s) { s.placement.constraints = {"node.name!=a>b"}; }, "#/placement/constraints/0", kInvalidValue, "behind !="},
      {[](auto& s) { s.placement.constraints = {"node.role==leader"}; }, "#/placement/constraints/0", kInvalidValue, "master and worker"},
      {[](auto& s) { s.placement.constraints = {"engine.labels.os==x"}; }, "#/placement/constraints/0", kUnsupported, "node.labels.KEY"},
      {[](auto& s) { s.placement.constraints.assign(65, "node.name!=a"); }, "#/placement/constraints", kTooLarge, "64"},
      {[](auto& s) { s.placement.preferences = {"spread=node.labels."}; }, "#/placement/preferences/0", kInvalidValue, "node.labels.zone"},
      {[](auto& s) { s.placement.preferences = {"zone", "rack"}; }, "#/placement/preferences/1", kUnsupported, "can be one"},
      {[](auto& s) { s.placement.spread_by = "a b"; }, "#/placement/spread_by", kInvalidValue, "node.labels.zone"},
      {[](auto& s) { s.placement = {.preferences = {"zone"}, .spread_by = "zone"}; }, "#/placement/spread_by", kConflict, "preferences"},
      {[](auto& s) { s.mode = Mode::Global; }, "#/mode", kUnsupported, "use replicated"},
  };
  for (auto const& [spoil, pointer, code, says] : cases) {
    auto spec = plain();
    spoil(spec);
    auto const problems = validate("web", spec);
    ASSERT_EQ(problems.size(), 1U) << pointer << " " << says << "\n" << show(problems);
    EXPECT_EQ(problems[0].pointer, pointer);
    EXPECT_EQ(problems[0].code, code) << problems[0].detail;
    EXPECT_NE(problems[0].detail.find(says), std::string::npos) << problems[0].detail;
  }
}

TEST(Validate, TakesPlacementAsDockerWritesIt) {
  auto spec = plain();
  spec.placement.constraints = {"node.labels.disk==ssd", "node.labels.com.example/rack != r-1",
                                " node.role==manager",   "node.platform.arch!=arm64",
                                "node.hostname==N1",     "node.id!=k3v9x1c0qp7d"};
  spec.placement.preferences = {"spread=node.labels.zone"};
  EXPECT_TRUE(validate("web", spec).empty()) << show(validate("web", spec));
  EXPECT_EQ(spread_label(spec.placement), "zone");
  EXPECT_EQ(to_text(*parse_constraint(" node.hostname != a ")), "node.name!=a");
  EXPECT_EQ(to_text(*parse_constraint("node.role==manager")), "node.role==master");
}

TEST(Validate, LetsPortsShareANumberThatDoNotClash) {
  auto spec = plain();
  spec.ports = {port(53, 53), port(53, 53), port(80, 8080), port(80, 8080)};
  spec.ports[1].protocol = Protocol::Udp;
  spec.ports[2].host_ip = "127.0.0.1";
  spec.ports[3].host_ip = "10.0.0.1";
  EXPECT_TRUE(validate("web", spec).empty()) << show(validate("web", spec));
}

TEST(Validate, TakesIngressBesidePorts) {
  auto spec = plain();
  spec.ports = {ingress(80, 8080), ingress(80, 8081), ingress(53, 8080), port(80), port(80, 9090)};
  spec.ports[1].proxy_protocol = true;
  spec.ports[2].protocol = Protocol::Udp;
  EXPECT_TRUE(validate("web", spec).empty()) << show(validate("web", spec));
}

TEST(Warnings, NameWhatMaySurprise) {
  struct {
    std::function<void(ServiceSpec&)> change;
    std::string codes;
  } const cases[] = {
      {[](auto&) {}, ""},
      {[](auto& s) { s.image = "nginx"; }, "unpinned_image "},
      {[](auto& s) { s.image = "nginx:latest"; }, "unpinned_image "},
      {[](auto& s) { s.image = "nginx@sha256:" + std::string(64, 'a'); }, ""},
      {[](auto& s) { s.image = "localhost:5000/nginx"; }, "unpinned_image "},
      {[](auto& s) { s.ports = {port(80, 8080)}; }, "updates_stop_first "},
      {[](auto& s) {
         s.ports = {port(80, 8080)};
         s.instances = 2;
       },
       "fixed_port updates_stop_first "},
      {[](auto& s) {
         s.ports = {ingress(80, 8080)};
         s.instances = 2;
       },
       ""},
      {[](auto& s) {
         s.ports = {port(80, 8080, 8090)};
         s.instances = 2;
       },
       ""},
      {[](auto& s) {
         s.volumes = {{MountType::Volume, "data", "/d", false}};
         s.instances = 2;
       },
       "node_volume updates_stop_first "},
      {[](auto& s) { s.volumes = {{MountType::Bind, "/etc", "/d", true}}; }, ""},
      {[](auto& s) {
         s.network_mode = "host";
         s.update_config.order = UpdateOrder::StartFirst;
       },
       "updates_stop_first "},
      {[](auto& s) {
         s.network_mode = "host";
         s.update_config.order = UpdateOrder::StopFirst;
       },
       ""},
      {[](auto& s) { s.environment.items["DAVIT_SLOT"] = "1"; }, "own_environment "},
  };
  for (auto const& [change, codes] : cases) {
    auto spec = plain();
    change(spec);
    std::string found;
    for (auto const& each : warnings(spec)) found += each.code + " ";
    EXPECT_EQ(found, codes);
  }
}

TEST(Syntax, KnowsIpAddresses) {
  for (std::string_view const text :
       {"0.0.0.0", "255.255.255.255", "10.0.0.7", "::", "::1", "1::", "fe80::1:2", "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "2001:DB8::"}) {
    EXPECT_TRUE(is_ip_address(text)) << text;
  }
  for (std::string_view const text : {"", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.x", "1.2.3.", ":", ":::", "1:2",
                                      "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "::1%eth0", "1:2:3:4:5:6:7::8", "10.0.0.1::", "[::1]"}) {
    EXPECT_FALSE(is_ip_address(text)) << text;
  }
}

}  // namespace
}  // namespace davit::model
