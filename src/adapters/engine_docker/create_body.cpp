#include "adapters/engine_docker/create_body.hpp"

#include <chrono>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace davit::engine_docker {
namespace {

using codec::Value;
using model::Healthcheck;
using model::ServiceSpec;
using Strings = std::map<std::string, std::string>;

Value list(std::vector<std::string> const& items) {
  Value::Array all(items.begin(), items.end());
  return Value(std::move(all));
}

Value object(Strings const& items) {
  auto out = Value::object();
  for (auto const& [key, value] : items) out.set(key, value);
  return out;
}

// The second wins.
Strings merged(Strings base, Strings const& over) {
  for (auto const& [key, value] : over) base.insert_or_assign(key, value);
  return base;
}

Value environment(Strings const& variables) {
  Value::Array out;
  for (auto const& [name, value] : variables) out.emplace_back(name + "=" + value);
  return Value(std::move(out));
}

std::int64_t whole_seconds(Duration time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

// Members that say nothing are left out, so that the engine's and the image's defaults hold.
void set_text(Value& body, std::string_view key, std::string const& text) {
  if (!text.empty()) body.set(key, text);
}
void set_list(Value& body, std::string_view key, std::vector<std::string> const& items) {
  if (!items.empty()) body.set(key, list(items));
}
void set_true(Value& body, std::string_view key, bool value) {
  if (value) body.set(key, true);
}

std::string port_key(model::PublishedPort const& port) { return fmt::format("{}/{}", port.target, model::to_string(port.protocol)); }

Value exposed_ports(std::vector<model::PublishedPort> const& ports) {
  auto out = Value::object();
  for (auto const& port : ports) out.set(port_key(port), Value::object());
  return out;
}

Value port_bindings(std::vector<model::PublishedPort> const& ports) {
  std::map<std::string, Value> by_key;
  for (auto const& port : ports) {
    by_key[port_key(port)].push(Value::object({{"HostIp", port.address}, {"HostPort", std::to_string(port.published)}}));
  }
  auto out = Value::object();
  for (auto& [key, bindings] : by_key) out.set(key, std::move(bindings));
  return out;
}

Value mounts(std::vector<model::Mount> const& all) {
  Value::Array out;
  for (auto const& mount : all) {
    auto item = Value::object({{"Type", model::to_string(mount.type)}, {"Target", mount.target}});
    set_text(item, "Source", mount.source);  // a volume without one is anonymous
    set_true(item, "ReadOnly", mount.read_only);
    out.push_back(std::move(item));
  }
  return Value(std::move(out));
}

// "/run" or "/run:size=64m,mode=755"
Value tmpfs(std::vector<std::string> const& all) {
  auto out = Value::object();
  for (auto const& text : all) {
    auto const colon = text.find(':');
    out.set(text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1));
  }
  return out;
}

// "/dev/a", "/dev/a:/dev/b", "/dev/a:/dev/b:rwm"
Value devices(std::vector<std::string> const& all) {
  Value::Array out;
  for (auto const& text : all) {
    auto const first = text.find(':');
    auto const second = first == std::string::npos ? first : text.find(':', first + 1);
    auto const on_host = text.substr(0, first);
    auto const inside =
        first == std::string::npos ? on_host : text.substr(first + 1, second == std::string::npos ? second : second - first - 1);
    auto const rights = second == std::string::npos ? "rwm" : text.substr(second + 1);
    out.push_back(Value::object({{"PathOnHost", on_host}, {"PathInContainer", inside}, {"CgroupPermissions", rights}}));
  }
  return Value(std::move(out));
}

Value ulimits(std::map<std::string, model::Ulimit> const& all) {
  Value::Array out;
  for (auto const& [name, limit] : all) out.push_back(Value::object({{"Name", name}, {"Soft", limit.soft}, {"Hard", limit.hard}}));
  return Value(std::move(out));
}

// The engine's own default has no bound: one chatty container would fill the node's disk.
Value log_config(model::Logging const& logging) {
  constexpr std::string_view kJsonFile = "json-file";
  auto const driver = logging.driver.empty() ? std::string(kJsonFile) : logging.driver;
  Strings const defaults = driver == kJsonFile ? Strings{{"max-file", "3"}, {"max-size", "10m"}} : Strings{};
  return Value::object({{"Type", driver}, {"Config", object(merged(defaults, logging.options.items))}});
}

Value healthcheck(Healthcheck const& check, ApiVersion version) {
  // Probes over http and tcp are the agent's, in place of the image's own check.
  if (check.disable || check.http || check.tcp) return Value::object({{"Test", Value::array("NONE")}});
  auto out = Value::object();
  set_list(out, "Test", check.test.items);  // left out: the image's, at these intervals
  out.set("Interval", check.interval.count()).set("Timeout", check.timeout.count()).set("Retries", check.retries);
  out.set("StartPeriod", check.start_period.count());
  constexpr ApiVersion kStartIntervalSince{1, 44};
  if (version >= kStartIntervalSince && check.start_interval > Duration::zero()) out.set("StartInterval", check.start_interval.count());
  return out;
}

void set_limits(Value& host, model::ResourceSet const& limits) {
  constexpr double kNano = 1e9;
  if (limits.cpus > 0) host.set("NanoCpus", std::int64_t{std::llround(limits.cpus * kNano)});
  // Equal values mean no swap beyond the limit; left out, it would be as much again.
  if (limits.memory.count > 0) host.set("Memory", limits.memory.count).set("MemorySwap", limits.memory.count);
}

// What the spec says goes before: with resolvers of its own a container does not know our names, so neither our domain.
void set_dns(Value& host, model::ServiceSpec const& spec, std::optional<ContainerDns> const& dns) {
  // From other networks this node may not be reached (macvlan, internal ones), or not be known as theirs.
  bool const is_on_bridge = spec.network_mode.empty() || spec.network_mode == "bridge" || spec.network_mode == "default";
  bool const is_ours = dns && spec.dns.empty() && is_on_bridge;
  set_list(host, "Dns", is_ours ? std::vector{dns->server} : spec.dns);
  set_list(host, "DnsSearch", is_ours && spec.dns_search.empty() ? dns->search : spec.dns_search);
  if (is_ours) set_list(host, "DnsOptions", dns->options);
}

Value host_config(model::CreateContainer const& wanted, std::optional<ContainerDns> const& dns) {
  auto const& spec = *wanted.spec;
  // Restarting is the agent's: the engine's policies would start containers of a node that has lost its place.
  auto host = Value::object({{"RestartPolicy", Value::object({{"Name", "no"}})}});
  host.set("LogConfig", log_config(spec.logging));
  if (!wanted.ports.empty()) host.set("PortBindings", port_bindings(wanted.ports));
  if (!spec.volumes.empty()) host.set("Mounts", mounts(spec.volumes));
  if (!spec.tmpfs.empty()) host.set("Tmpfs", tmpfs(spec.tmpfs));
  if (!spec.devices.empty()) host.set("Devices", devices(spec.devices));
  if (!spec.ulimits.empty()) host.set("Ulimits", ulimits(spec.ulimits));
  if (!spec.sysctls.items.empty()) host.set("Sysctls", object(spec.sysctls.items));
  if (spec.shm_size.count > 0) host.set("ShmSize", spec.shm_size.count);
  set_limits(host, spec.resources.limits);
  set_text(host, "NetworkMode", spec.network_mode);
  set_list(host, "ExtraHosts", spec.extra_hosts);
  set_dns(host, spec, dns);
  set_list(host, "CapAdd", spec.cap_add);
  set_list(host, "CapDrop", spec.cap_drop);
  set_list(host, "SecurityOpt", spec.security_opt);
  set_true(host, "Privileged", spec.privileged);
  set_true(host, "ReadonlyRootfs", spec.read_only);
  set_true(host, "Init", spec.init);
  return host;
}

}  // namespace

Value create_body(model::CreateContainer const& wanted, ApiVersion version, std::optional<ContainerDns> const& dns) {
  auto const& spec = *wanted.spec;
  auto body = Value::object({{"Image", wanted.image}});
  set_list(body, "Entrypoint", spec.entrypoint.items);
  set_list(body, "Cmd", spec.command.items);
  body.set("Env", environment(merged(spec.environment.items, wanted.environment)));
  body.set("Labels", object(merged(spec.container_labels.items, wanted.labels)));
  set_text(body, "User", spec.user);
  set_text(body, "WorkingDir", spec.working_dir);
  set_text(body, "Hostname", spec.hostname);
  set_true(body, "Tty", spec.tty);
  set_text(body, "StopSignal", spec.stop_signal);
  body.set("StopTimeout", whole_seconds(spec.stop_grace_period));
  if (spec.healthcheck) body.set("Healthcheck", healthcheck(*spec.healthcheck, version));
  // Bindings alone publish nothing on old engines.
  if (!wanted.ports.empty()) body.set("ExposedPorts", exposed_ports(wanted.ports));
  body.set("HostConfig", host_config(wanted, dns));
  return body;
}

}  // namespace davit::engine_docker
