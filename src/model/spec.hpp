// The spec of a service: what a user asks for (api.md). Member initializers are the defaults; the field tables are in
// spec_fields.hpp, rules that concern more than one field in validate.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "base/units.hpp"
#include "model/enum_names.hpp"
#include "model/field.hpp"

namespace davit::model {

enum class Mode : std::uint8_t { Replicated, Global, Job, Cron };
DAVIT_ENUM_NAMES(Mode, {Mode::Replicated, "replicated"}, {Mode::Global, "global"}, {Mode::Job, "job"}, {Mode::Cron, "cron"});

enum class Protocol : std::uint8_t { Tcp, Udp, Sctp };
DAVIT_ENUM_NAMES(Protocol, {Protocol::Tcp, "tcp"}, {Protocol::Udp, "udp"}, {Protocol::Sctp, "sctp"});

enum class PortMode : std::uint8_t { Host, Ingress };
DAVIT_ENUM_NAMES(PortMode, {PortMode::Host, "host"}, {PortMode::Ingress, "ingress"});

enum class PullPolicy : std::uint8_t { Missing, Always, Never };
DAVIT_ENUM_NAMES(PullPolicy, {PullPolicy::Missing, "missing"}, {PullPolicy::Always, "always"}, {PullPolicy::Never, "never"});

enum class RestartCondition : std::uint8_t { Any, OnFailure, None };
DAVIT_ENUM_NAMES(RestartCondition, {RestartCondition::Any, "any"}, {RestartCondition::OnFailure, "on-failure"},
                 {RestartCondition::None, "none"});

enum class UpdateOrder : std::uint8_t { Auto, StartFirst, StopFirst };
DAVIT_ENUM_NAMES(UpdateOrder, {UpdateOrder::Auto, "auto"}, {UpdateOrder::StartFirst, "start-first"},
                 {UpdateOrder::StopFirst, "stop-first"});

enum class FailureAction : std::uint8_t { Rollback, Pause, Continue };
DAVIT_ENUM_NAMES(FailureAction, {FailureAction::Rollback, "rollback"}, {FailureAction::Pause, "pause"},
                 {FailureAction::Continue, "continue"});

enum class OnIsolation : std::uint8_t { Keep, Stop };
DAVIT_ENUM_NAMES(OnIsolation, {OnIsolation::Keep, "keep"}, {OnIsolation::Stop, "stop"});

enum class Strategy : std::uint8_t { Mix, Cpu, Memory, Load, Binpack, Spread };
DAVIT_ENUM_NAMES(Strategy, {Strategy::Mix, "mix"}, {Strategy::Cpu, "cpu"}, {Strategy::Memory, "memory"}, {Strategy::Load, "load"},
                 {Strategy::Binpack, "binpack"}, {Strategy::Spread, "spread"});

enum class MountType : std::uint8_t { Volume, Bind, Tmpfs };
DAVIT_ENUM_NAMES(MountType, {MountType::Volume, "volume"}, {MountType::Bind, "bind"}, {MountType::Tmpfs, "tmpfs"});

// Read from an array, or from a string that is split as a shell would.
struct Words {
  std::vector<std::string> items;
  friend bool operator==(Words const&, Words const&) = default;
};

// Read from an object, or from an array of "KEY=value". Written as an object.
struct KeyValues {
  std::map<std::string, std::string> items;
  friend bool operator==(KeyValues const&, KeyValues const&) = default;
};

// Read from 80, "8080:80/udp" and their like, or from the object (api.md, "ports"). Written as the object.
struct PortSpec {
  std::string name;
  std::int64_t target = 0;
  std::optional<std::int64_t> published;      // absent: picked by the agent; of ingress: what every node listens on
  std::optional<std::int64_t> published_end;  // the last of a range whose first free port is taken
  Protocol protocol = Protocol::Tcp;
  PortMode mode = PortMode::Host;
  std::string host_ip = "0.0.0.0";
  bool proxy_protocol = false;  // of ingress: the instance is told the client's address first
  friend bool operator==(PortSpec const&, PortSpec const&) = default;
};

// Read from "data:/var/lib/data:ro" or from the object. Written as the object.
struct Mount {
  MountType type = MountType::Volume;
  std::string source;
  std::string target;
  bool read_only = false;
  friend bool operator==(Mount const&, Mount const&) = default;
};

// Read from 1024 or {"soft":1024,"hard":2048}.
struct Ulimit {
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  friend bool operator==(Ulimit const&, Ulimit const&) = default;
};

// Read from a string (run by the shell) or from an array that starts with NONE, CMD or CMD-SHELL.
struct HealthTest {
  std::vector<std::string> items;
  friend bool operator==(HealthTest const&, HealthTest const&) = default;
};

struct HttpProbe {
  std::int64_t port = 0;
  std::string path = "/";
  friend bool operator==(HttpProbe const&, HttpProbe const&) = default;
};
struct TcpProbe {
  std::int64_t port = 0;
  friend bool operator==(TcpProbe const&, TcpProbe const&) = default;
};

struct Healthcheck {
  HealthTest test;  // empty: the image's own
  std::optional<HttpProbe> http;
  std::optional<TcpProbe> tcp;
  Duration interval = 30s;
  Duration timeout = 30s;
  std::int64_t retries = 3;
  Duration start_period = 0s;
  Duration start_interval = 5s;
  bool disable = false;
  friend bool operator==(Healthcheck const&, Healthcheck const&) = default;
};

struct ResourceSet {
  double cpus = 0;  // 0: none
  Bytes memory;     // 0: none
  friend bool operator==(ResourceSet const&, ResourceSet const&) = default;
};
struct Resources {
  ResourceSet limits;
  ResourceSet reservations;
  friend bool operator==(Resources const&, Resources const&) = default;
};

struct RestartPolicy {
  RestartCondition condition = RestartCondition::Any;
  Duration delay = 500ms;
  Duration max_delay = 60s;
  std::int64_t attempts_per_node = 5;
  Duration window = 10min;
  friend bool operator==(RestartPolicy const&, RestartPolicy const&) = default;
};

struct UpdateConfig {
  std::int64_t parallelism = 1;
  Duration delay = 0s;
  UpdateOrder order = UpdateOrder::Auto;
  Duration monitor = 10s;
  FailureAction failure_action = FailureAction::Rollback;
  double max_failure_ratio = 0;
  Duration progress_deadline = 10min;
  friend bool operator==(UpdateConfig const&, UpdateConfig const&) = default;
};

struct Placement {
  std::vector<std::string> constraints;
  std::vector<std::string> preferences;
  std::int64_t max_replicas_per_node = 0;  // 0: no limit
  Strategy strategy = Strategy::Mix;
  std::string spread_by;
  friend bool operator==(Placement const&, Placement const&) = default;
};

struct Logging {
  std::string driver;  // empty: the engine's default, with a bound on its size
  KeyValues options;
  friend bool operator==(Logging const&, Logging const&) = default;
};

struct ServiceSpec {
  std::string image;
  std::int64_t instances = 1;
  Mode mode = Mode::Replicated;
  std::vector<PortSpec> ports;
  Words entrypoint;
  Words command;
  KeyValues environment;
  KeyValues labels;
  KeyValues container_labels;
  std::vector<Mount> volumes;
  std::vector<std::string> tmpfs;
  std::string user;
  std::string working_dir;
  std::string hostname;
  bool init = false;
  bool tty = false;
  bool read_only = false;
  bool privileged = false;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  std::vector<std::string> devices;
  std::vector<std::string> security_opt;
  std::map<std::string, Ulimit> ulimits;
  KeyValues sysctls;
  Bytes shm_size;
  std::string network_mode;
  std::vector<std::string> extra_hosts;
  std::vector<std::string> dns;
  std::vector<std::string> dns_search;
  Logging logging;
  PullPolicy pull_policy = PullPolicy::Missing;
  std::string stop_signal;
  Duration stop_grace_period = 10s;
  std::optional<Healthcheck> healthcheck;  // absent: the image's own
  Resources resources;
  RestartPolicy restart_policy;
  UpdateConfig update_config;
  std::optional<UpdateConfig> rollback_config;
  Duration drain_delay = 2s;
  Placement placement;
  OnIsolation on_isolation = OnIsolation::Keep;
  Duration stop_after = 15s;
  friend bool operator==(ServiceSpec const&, ServiceSpec const&) = default;
};

// Specs are shared per revision and never changed.
using SpecRef = std::shared_ptr<ServiceSpec const>;

// The greatest Change among the fields in which the two differ.
Change change_between(ServiceSpec const& before, ServiceSpec const& after);

// What two instances of one slot would get in each other's way with, so that a rolling update must stop the old one before the
// new one starts; "" if nothing.
std::string_view what_forbids_overlap(ServiceSpec const& spec);

// Whether what listens on the one gets in the way of what listens on the other.
inline bool share_address(std::string_view one, std::string_view other) {
  auto const is_any = [](std::string_view address) { return address == "0.0.0.0" || address == "::"; };
  return one == other || is_any(one) || is_any(other);
}

// Whether instances of one node share it, because the user has named one port of the node and no other.
inline bool is_fixed_on_node(PortSpec const& port) {
  return port.mode == PortMode::Host && port.published && port.published_end.value_or(*port.published) == *port.published;
}

// Whether it writes to a volume or a path that its node alone has. An anonymous volume goes with its container.
bool has_node_volume(ServiceSpec const& spec);

}  // namespace davit::model
