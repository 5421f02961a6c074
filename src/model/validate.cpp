#include "model/validate.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "model/constraint.hpp"
#include "model/syntax.hpp"

namespace davit::model {
namespace {

using namespace problem_code;

class Check {
 public:
  Check(std::string_view service, ServiceSpec const& spec) : service_(service), spec_(spec) {}

  std::vector<Problem> run() {
    name();
    process();
    engine_words();
    if (spec_.ports.size() > kMaxPortEntries) add("#/ports", kTooLarge, fmt::format("at most {} entries", kMaxPortEntries));
    else ports();
    mounts();
    networks();
    keys("#/environment", spec_.environment);
    keys("#/labels", spec_.labels);
    keys("#/container_labels", spec_.container_labels);
    keys("#/sysctls", spec_.sysctls);
    keys("#/logging/options", spec_.logging.options);
    ulimits();
    resources();
    placement();
    if (spec_.healthcheck) health(*spec_.healthcheck);
    not_built();
    return std::move(problems_);
  }

 private:
  void add(std::string pointer, std::string_view code, std::string detail) {
    problems_.push_back({std::move(pointer), std::string(code), std::move(detail)});
  }
  void require(bool holds, std::string pointer, std::string detail) {
    if (!holds) add(std::move(pointer), kInvalidValue, std::move(detail));
  }

  void name() {
    if (service_.empty()) return;
    if (!is_service_name(service_)) {
      add("#/name", kInvalidValue, "lower-case letters, digits, and '-' or '_' between them; at most 63 characters");
    } else if (is_reserved_name(service_)) {
      add("#/name", kInvalidValue, "names that begin with davit-, and the name node, are reserved");
    }
  }

  void process() {
    if (auto why = why_no_image(spec_.image)) add("#/image", kInvalidValue, *std::move(why));
    require(spec_.hostname.empty() || is_hostname(spec_.hostname), "#/hostname",
            "letters, digits, '-' and '.', each part beginning and ending with a letter or digit; at most 63 characters");
    require(spec_.working_dir.empty() || is_absolute_path(spec_.working_dir), "#/working_dir", "must be an absolute path without ..");
    require(spec_.stop_signal.empty() || is_signal(spec_.stop_signal), "#/stop_signal",
            "a signal's name, as in SIGTERM, or a number from 1 to 64");
  }

  template <class Rule>
  void each(std::string_view field, std::vector<std::string> const& texts, std::string_view detail, Rule const& holds) {
    for (std::size_t i = 0; i < texts.size(); ++i) require(holds(texts[i]), fmt::format("#/{}/{}", field, i), std::string(detail));
  }

  void engine_words() {
    auto const is_capability = [](std::string_view text) {
      return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    };
    each("cap_add", spec_.cap_add, "a capability in upper case, as in NET_ADMIN, or ALL", is_capability);
    each("cap_drop", spec_.cap_drop, "a capability in upper case, as in NET_ADMIN, or ALL", is_capability);
    each("security_opt", spec_.security_opt, "must not be empty", [](std::string_view text) { return !text.empty(); });
    each("devices", spec_.devices, "write /dev/a, /dev/a:/dev/b or /dev/a:/dev/b:rwm", is_device);
  }

  static bool is_device(std::string_view text) {
    auto const first = text.find(':');
    if (!is_absolute_path(text.substr(0, first))) return false;
    if (first == std::string_view::npos) return true;
    auto const rest = text.substr(first + 1);
    auto const second = rest.find(':');
    if (!is_absolute_path(rest.substr(0, second))) return false;
    if (second == std::string_view::npos) return true;
    auto const rights = rest.substr(second + 1);
    return !rights.empty() && rights.size() <= 3 && rights.find_first_not_of("rwm") == std::string_view::npos;
  }

  void ports() {
    for (std::size_t i = 0; i < spec_.ports.size(); ++i) {
      auto const at = fmt::format("#/ports/{}", i);
      auto const& port = spec_.ports[i];
      bool const is_label =
          port.name.size() <= 63 && (port.name.empty() || (is_service_name(port.name) && port.name.find('_') == std::string::npos));
      require(is_label, at + "/name", "lower-case letters, digits, and '-' between them; at most 63 characters");
      require(is_ip_address(port.host_ip), at + "/host_ip", fmt::format("'{}' is not an IP address", port.host_ip));
      if (port.published_end && !port.published) add(at + "/published_end", kConflict, "needs published, the range's first port");
      if (port.published_end && port.published && *port.published_end < *port.published) {
        add(at + "/published_end", kInvalidValue, fmt::format("must not be below published, {}", *port.published));
      }
      if (port.mode == PortMode::Ingress) ingress(at, port);
      else if (port.proxy_protocol) add(at + "/proxy_protocol", kConflict, "needs mode ingress: clients reach the instance itself");
      for (std::size_t j = 0; j < i; ++j) {
        if (clash(at, j, spec_.ports[j], port)) break;
      }
    }
  }

  // No port is picked for it: clients are to know it, on every node, from now on.
  void ingress(std::string const& at, PortSpec const& port) {
    if (!port.published) add(at + "/published", kRequired, "with mode ingress, name the port that every node listens on");
    if (port.published_end) add(at + "/published_end", kConflict, "an ingress port is one port, the same on every node: leave it out");
    if (port.host_ip != "0.0.0.0") add(at + "/host_ip", kConflict, "an ingress port listens on all addresses of every node: leave it out");
    if (port.protocol == Protocol::Sctp) add(at + "/protocol", kUnsupported, "ingress carries tcp and udp: use host");
    if (port.proxy_protocol && port.protocol == Protocol::Udp) {
      add(at + "/proxy_protocol", kConflict, "only tcp connections can begin with the client's address");
    }
  }

  bool clash(std::string const& at, std::size_t other_index, PortSpec const& other, PortSpec const& port) {
    if (!port.name.empty() && port.name == other.name) {
      add(at + "/name", kDuplicate, fmt::format("port {} has this name", other_index));
      return true;
    }
    if (port.protocol != other.protocol || !share_address(port.host_ip, other.host_ip)) return false;
    if (port.mode != other.mode && (!port.published || !other.published)) return false;
    if (!port.published && !other.published && port.target == other.target && port.host_ip == other.host_ip) {
      add(at, kDuplicate, fmt::format("the same as port {}", other_index));
      return true;
    }
    if (!port.published || !other.published) return false;
    bool const overlap = *port.published <= other.published_end.value_or(*other.published) &&
                         *other.published <= port.published_end.value_or(*port.published);
    if (overlap) add(at + "/published", kDuplicate, fmt::format("port {} publishes on it already", other_index));
    return overlap;
  }

  void mounts() {
    std::set<std::string, std::less<>> targets;
    auto const target = [&](std::string const& pointer, std::string_view path) {
      while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
      if (!is_absolute_path(path) || path == "/")
        add(pointer, kInvalidValue, "must be an absolute path in the container, without .., other than /");
      else if (!targets.emplace(path).second) add(pointer, kDuplicate, fmt::format("{} is mounted already", path));
    };
    for (std::size_t i = 0; i < spec_.volumes.size(); ++i) {
      auto const& mount = spec_.volumes[i];
      auto const at = fmt::format("#/volumes/{}", i);
      target(at + "/target", mount.target);
      source(at + "/source", mount);
    }
    for (std::size_t i = 0; i < spec_.tmpfs.size(); ++i) {
      std::string_view const text = spec_.tmpfs[i];
      target(fmt::format("#/tmpfs/{}", i), text.substr(0, text.find(':')));
    }
  }

  void source(std::string pointer, Mount const& mount) {
    switch (mount.type) {
      case MountType::Volume:
        return require(mount.source.empty() || is_engine_name(mount.source), std::move(pointer),
                       "a volume's name has letters, digits, '_', '.' and '-', at least two; for a path of the node use type bind");
      case MountType::Bind:
        return require(is_absolute_path(mount.source), std::move(pointer), "must be an absolute path of the node, without ..");
      case MountType::Tmpfs: return require(mount.source.empty(), std::move(pointer), "a tmpfs has no source");
    }
  }

  void networks() {
    auto const& mode = spec_.network_mode;
    if (mode.starts_with("container:") || mode.starts_with("service:")) {
      add("#/network_mode", kUnsupported,
          "not supported: an instance cannot share another container's network, which may run on another node");
    } else {
      require(mode.empty() || is_engine_name(mode), "#/network_mode", "bridge, host, none, or the name of a network of the node's engine");
    }
    if (!spec_.ports.empty() && (mode == "host" || mode == "none")) {
      add("#/ports", kConflict, fmt::format("nothing can be published with network_mode {}; leave ports out", mode));
    }
    each("dns", spec_.dns, "must be an IP address", is_ip_address);
    each("dns_search", spec_.dns_search, "must be a domain, or .", [](std::string_view text) { return text == "." || is_domain(text); });
    each("extra_hosts", spec_.extra_hosts, "write name:address, as in db:10.0.0.7 or host.docker.internal:host-gateway", is_extra_host);
  }

  static bool is_domain(std::string_view text) {
    return !text.empty() && text.size() <= 253 && text.find_first_of(" \t\r\n/:") == std::string_view::npos;
  }
  static bool is_extra_host(std::string_view text) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos || !is_domain(text.substr(0, colon))) return false;
    auto const address = text.substr(colon + 1);
    return address == "host-gateway" || is_ip_address(address);
  }

  void keys(std::string const& pointer, KeyValues const& map) {
    for (auto const& [key, value] : map.items) {
      auto at = fmt::format("{}/{}", pointer, pointer_token(key));
      if (key.empty() || key.find('=') != std::string::npos) add(std::move(at), kInvalidValue, "a key must not be empty and has no '='");
      else if (&map == &spec_.container_labels && key.starts_with("davit."))
        add(std::move(at), kInvalidValue, "labels that begin with davit. are Davit's own");
    }
  }

  void ulimits() {
    auto const names = ulimit_names();
    for (auto const& [name, limit] : spec_.ulimits) {
      auto const at = "#/ulimits/" + pointer_token(name);
      if (std::ranges::find(names, name) == names.end()) {
        auto const near = nearest(name, names);
        add(at, kUnknownField, near.empty() ? "the engine knows no such limit" : fmt::format("did you mean {}?", near));
      }
      bool const fits = limit.hard == -1 || (limit.soft != -1 && limit.soft <= limit.hard);
      require(fits, at, fmt::format("soft, {}, must not be above hard, {}", limit.soft, limit.hard));
    }
  }

  void resources() {
    auto const& [limits, reservations] = spec_.resources;
    require(limits.memory.count == 0 || limits.memory >= kMinMemoryLimit, "#/resources/limits/memory",
            "must be 0 or at least 6 MiB, the engine's minimum");
    require(limits.cpus == 0 || limits.cpus >= kMinCpuLimit, "#/resources/limits/cpus",
            fmt::format("must be 0 or at least {}", kMinCpuLimit));
    require(limits.memory <= kMaxMemory, "#/resources/limits/memory", "must be at most 1 PiB");
    require(reservations.memory <= kMaxMemory, "#/resources/reservations/memory", "must be at most 1 PiB");
    if (limits.memory.count > 0 && reservations.memory > limits.memory) {
      add("#/resources/reservations/memory", kConflict, fmt::format("must not be above the limit, {}", format_bytes(limits.memory)));
    }
    if (limits.cpus > 0 && reservations.cpus > limits.cpus) {
      add("#/resources/reservations/cpus", kConflict, fmt::format("must not be above the limit, {}", limits.cpus));
    }
  }

  void placement() {
    auto const& wanted = spec_.placement;
    if (wanted.constraints.size() > kMaxConstraints) add("#/placement/constraints", kTooLarge, fmt::format("at most {}", kMaxConstraints));
    for (std::size_t i = 0; i < wanted.constraints.size(); ++i) {
      refuse(fmt::format("#/placement/constraints/{}", i), parse_constraint(wanted.constraints[i]));
    }
    for (std::size_t i = 0; i < wanted.preferences.size(); ++i) {
      auto const at = fmt::format("#/placement/preferences/{}", i);
      if (i > 0) add(at, kUnsupported, "not supported yet: there can be one");
      else refuse(at, parse_spread(wanted.preferences[i]));
    }
    if (wanted.spread_by.empty()) return;
    refuse("#/placement/spread_by", parse_spread(wanted.spread_by));
    if (!wanted.preferences.empty()) add("#/placement/spread_by", kConflict, "says the same as preferences: leave one of them out");
  }

  template <class T>
  void refuse(std::string pointer, Result<T> const& parsed) {
    if (parsed) return;
    add(std::move(pointer), parsed.error().code == Code::Unsupported ? kUnsupported : kInvalidValue, parsed.error().message);
  }

  void health(Healthcheck const& check) {
    auto const& words = check.test.items;
    if (check.http) {
      require(check.http->path.starts_with('/'), "#/healthcheck/http/path", "a path begins with /");
      require(std::ranges::all_of(check.http->path, [](char c) { return c > ' ' && c < '\x7f'; }), "#/healthcheck/http/path",
              "a path is of printable ASCII without spaces: percent-encode the rest");
      if (check.tcp) add("#/healthcheck/tcp", kConflict, "an instance is probed in one way: leave out http or tcp");
    }
    bool const is_probed = check.http || check.tcp;
    if (is_probed && !words.empty()) add("#/healthcheck/test", kConflict, "http and tcp stand in place of a test: leave one of them out");
    if (is_probed && spec_.network_mode == "none")
      add("#/healthcheck", kConflict, "a container without a network cannot be probed: use a test, which runs in it");
    if (words.empty()) return;
    bool const is_none = words[0] == "NONE" && words.size() == 1;
    bool const is_command = words[0] == "CMD" && words.size() > 1 && !words[1].empty();
    bool const is_shell = words[0] == "CMD-SHELL" && words.size() == 2 && !words[1].empty();
    require(is_none || is_command || is_shell, "#/healthcheck/test",
            "an array is [\"CMD\", program, argument…], [\"CMD-SHELL\", line] or [\"NONE\"]; a string is a line for the shell");
  }

  void not_built() {
    if (!is_built(spec_.mode)) add("#/mode", kUnsupported, "not supported yet: use replicated");
  }

  std::string_view service_;
  ServiceSpec const& spec_;
  std::vector<Problem> problems_;
};

}  // namespace

bool is_reserved_name(std::string_view name) { return name == "node" || name.starts_with("davit-"); }

std::vector<Problem> validate(std::string_view service, ServiceSpec const& spec) { return Check(service, spec).run(); }

}  // namespace davit::model
