#include "cli/spec_flags.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <span>
#include <utility>

#include <fmt/core.h>

#include "cli/flag_values.hpp"
#include "codec/json.hpp"

namespace davit::cli {
namespace {

using codec::Value;

enum class Kind : std::uint8_t {
  Text,     // as it is: words, times, sizes
  Number,
  Switch,
  List,     // each appended
  Pairs,    // KEY=VALUE into an object
  Env,      // the same; KEY alone takes the value from this process's environment
  EnvFile,  // a file of such lines
  Ports,
  Mount,    // type=…,source=…,target=…
  Volume,   // SOURCE:TARGET[:ro]
  Ulimit,   // NAME=SOFT[:HARD]
};

struct SpecFlag {
  char const* name;
  char letter;
  char const* value;
  Kind kind;
  char const* path;            // in the spec
  char const* help = nullptr;  // where the field's doc speaks of JSON
  char const* alias = nullptr;
};

constexpr SpecFlag kFlags[] = {
    {"instances", 0, "N", Kind::Number, "instances", nullptr, "replicas"},
    {"publish", 'p', "PORT", Kind::Ports, "ports", "Port of the container, published on the node: 80, 8080:80, 127.0.0.1:8080:80, 53/udp."},
    {"env", 'e', "KEY=VALUE", Kind::Env, "environment", "Environment variable; KEY alone takes its value from here."},
    {"env-file", 0, "FILE", Kind::EnvFile, "environment", "File with lines KEY=VALUE for the environment."},
    {"label", 'l', "KEY=VALUE", Kind::Pairs, "labels"},
    {"container-label", 0, "KEY=VALUE", Kind::Pairs, "container_labels"},
    {"mount", 0, "type=TYPE,source=SOURCE,target=PATH", Kind::Mount, "volumes", "Volume, bind or tmpfs; `readonly` may be added."},
    {"volume", 'v', "SOURCE:PATH[:ro]", Kind::Volume, "volumes", "Volume by name, or path of the node, and where to mount it."},
    {"tmpfs", 0, "PATH", Kind::List, "tmpfs"},
    {"entrypoint", 0, "COMMAND", Kind::Text, "entrypoint", "In place of the image's ENTRYPOINT; split as by a shell."},
    {"user", 'u', "USER[:GROUP]", Kind::Text, "user"},
    {"workdir", 'w', "PATH", Kind::Text, "working_dir"},
    {"hostname", 0, "NAME", Kind::Text, "hostname"},
    {"init", 0, "", Kind::Switch, "init"},
    {"tty", 't', "", Kind::Switch, "tty"},
    {"read-only", 0, "", Kind::Switch, "read_only"},
    {"privileged", 0, "", Kind::Switch, "privileged"},
    {"cap-add", 0, "CAPABILITY", Kind::List, "cap_add"},
    {"cap-drop", 0, "CAPABILITY", Kind::List, "cap_drop"},
    {"device", 0, "DEVICE", Kind::List, "devices"},
    {"security-opt", 0, "OPTION", Kind::List, "security_opt"},
    {"ulimit", 0, "NAME=SOFT[:HARD]", Kind::Ulimit, "ulimits"},
    {"sysctl", 0, "KEY=VALUE", Kind::Pairs, "sysctls"},
    {"shm-size", 0, "BYTES", Kind::Text, "shm_size"},
    {"network", 0, "NETWORK", Kind::Text, "network_mode"},
    {"add-host", 0, "NAME:ADDRESS", Kind::List, "extra_hosts"},
    {"dns", 0, "ADDRESS", Kind::List, "dns"},
    {"dns-search", 0, "DOMAIN", Kind::List, "dns_search"},
    {"log-driver", 0, "DRIVER", Kind::Text, "logging/driver"},
    {"log-opt", 0, "KEY=VALUE", Kind::Pairs, "logging/options"},
    {"pull", 0, "POLICY", Kind::Text, "pull_policy"},
    {"stop-signal", 0, "SIGNAL", Kind::Text, "stop_signal"},
    {"stop-grace-period", 0, "TIME", Kind::Text, "stop_grace_period"},
    {"health-cmd", 0, "COMMAND", Kind::Text, "healthcheck/test",
     "Command, run by the shell in the container, whose exit code 0 means healthy."},
    {"health-http", 0, "PORT", Kind::Number, "healthcheck/http/port",
     "Port of the container that must answer a GET request; by the agent."},
    {"health-http-path", 0, "PATH", Kind::Text, "healthcheck/http/path"},
    {"health-tcp", 0, "PORT", Kind::Number, "healthcheck/tcp/port", "Port of the container that must accept a connection; by the agent."},
    {"health-interval", 0, "TIME", Kind::Text, "healthcheck/interval"},
    {"health-timeout", 0, "TIME", Kind::Text, "healthcheck/timeout"},
    {"health-retries", 0, "N", Kind::Number, "healthcheck/retries"},
    {"health-start-period", 0, "TIME", Kind::Text, "healthcheck/start_period"},
    {"health-start-interval", 0, "TIME", Kind::Text, "healthcheck/start_interval"},
    {"no-healthcheck", 0, "", Kind::Switch, "healthcheck/disable"},
    {"limit-cpu", 0, "CORES", Kind::Number, "resources/limits/cpus"},
    {"limit-memory", 0, "BYTES", Kind::Text, "resources/limits/memory"},
    {"reserve-cpu", 0, "CORES", Kind::Number, "resources/reservations/cpus"},
    {"reserve-memory", 0, "BYTES", Kind::Text, "resources/reservations/memory"},
    {"restart-condition", 0, "CONDITION", Kind::Text, "restart_policy/condition"},
    {"restart-delay", 0, "TIME", Kind::Text, "restart_policy/delay"},
    {"restart-max-delay", 0, "TIME", Kind::Text, "restart_policy/max_delay"},
    {"restart-max-attempts", 0, "N", Kind::Number, "restart_policy/attempts_per_node"},
    {"restart-window", 0, "TIME", Kind::Text, "restart_policy/window"},
    {"update-parallelism", 0, "N", Kind::Number, "update_config/parallelism"},
    {"update-delay", 0, "TIME", Kind::Text, "update_config/delay"},
    {"update-order", 0, "ORDER", Kind::Text, "update_config/order"},
    {"update-monitor", 0, "TIME", Kind::Text, "update_config/monitor"},
    {"update-failure-action", 0, "ACTION", Kind::Text, "update_config/failure_action"},
    {"update-max-failure-ratio", 0, "RATIO", Kind::Number, "update_config/max_failure_ratio"},
    {"update-progress-deadline", 0, "TIME", Kind::Text, "update_config/progress_deadline"},
    {"rollback-parallelism", 0, "N", Kind::Number, "rollback_config/parallelism"},
    {"rollback-delay", 0, "TIME", Kind::Text, "rollback_config/delay"},
    {"rollback-order", 0, "ORDER", Kind::Text, "rollback_config/order"},
    {"rollback-monitor", 0, "TIME", Kind::Text, "rollback_config/monitor"},
    {"rollback-failure-action", 0, "ACTION", Kind::Text, "rollback_config/failure_action",
     "What a failed rollback leads to: pause or continue."},
    {"rollback-max-failure-ratio", 0, "RATIO", Kind::Number, "rollback_config/max_failure_ratio"},
    {"rollback-progress-deadline", 0, "TIME", Kind::Text, "rollback_config/progress_deadline"},
    {"drain-delay", 0, "TIME", Kind::Text, "drain_delay"},
    {"constraint", 0, "CONDITION", Kind::List, "placement/constraints",
     "Condition that a node must meet: node.labels.disk==ssd, node.name!=n3, node.role==worker, node.platform.arch==arm64."},
    {"placement-pref", 0, "spread=LABEL", Kind::List, "placement/preferences", "docker's form of --spread-by: spread=node.labels.zone."},
    {"replicas-max-per-node", 0, "N", Kind::Number, "placement/max_replicas_per_node"},
    {"strategy", 0, "STRATEGY", Kind::Text, "placement/strategy"},
    {"spread-by", 0, "LABEL", Kind::Text, "placement/spread_by"},
    {"mode", 0, "MODE", Kind::Text, "mode"},
};

// Of the ports that --publish names, not of the spec.
constexpr char const* kIngress = "ingress";

// `update` alone: what leaves the spec again.
constexpr SpecFlag kRemovals[] = {
    {"env-rm", 0, "KEY", Kind::Env, "environment"},
    {"label-rm", 0, "KEY", Kind::Pairs, "labels"},
    {"container-label-rm", 0, "KEY", Kind::Pairs, "container_labels"},
    {"publish-rm", 0, "TARGET-PORT", Kind::Ports, "ports"},
    {"mount-rm", 0, "TARGET-PATH", Kind::Mount, "volumes"},
    {"constraint-rm", 0, "CONDITION", Kind::List, "placement/constraints"},
    {"placement-pref-rm", 0, "spread=LABEL", Kind::List, "placement/preferences"},
};

bool has_add_alias(SpecFlag const& flag) {
  return std::ranges::any_of(kRemovals, [&](SpecFlag const& removal) { return removal.name == fmt::format("{}-rm", flag.name); });
}

std::vector<std::string> words_of(SpecFlag const& flag) {
  static std::vector<std::pair<std::string_view, std::vector<std::string>>> const known{
      {"pull", {"missing", "always", "never"}},
      {"restart-condition", {"any", "on-failure", "none"}},
      {"update-order", {"auto", "start-first", "stop-first"}},
      {"update-failure-action", {"rollback", "pause", "continue"}},
      {"rollback-order", {"auto", "start-first", "stop-first"}},
      {"rollback-failure-action", {"pause", "continue"}},
      {"strategy", {"mix", "cpu", "memory", "load", "binpack", "spread"}},
      {"mode", {"replicated", "global", "job", "cron"}},
  };
  auto const found = std::ranges::find(known, std::string_view(flag.name), [](auto const& each) { return each.first; });
  return found == known.end() ? std::vector<std::string>() : found->second;
}

std::string help_of(SpecFlag const& flag) { return flag.help ? flag.help : std::string(doc_of_field(flag.path)); }

// The value at the path; what is missing on the way becomes objects.
Value& at_path(Value& spec, std::string_view path) {
  auto* at = &spec;
  for (;;) {
    auto const slash = path.find('/');
    auto const name = path.substr(0, slash);
    if (!at->as_object()) *at = Value::object();
    auto* const next = at->as_object()->find(name);
    at = next ? next : &at->as_object()->set(name, Value());
    if (slash == std::string_view::npos) return *at;
    path.remove_prefix(slash + 1);
  }
}

void set_pair(Value& pairs, std::string_view text, bool from_environment) {
  auto const equals = text.find('=');
  std::string const key(text.substr(0, equals));
  if (equals != std::string_view::npos) {
    pairs.set(key, text.substr(equals + 1));
  } else if (!from_environment) {
    pairs.set(key, "");
  } else if (auto const* const value = std::getenv(key.c_str())) {
    pairs.set(key, value);
  }
}

Status set_from_file(Value& pairs, std::string const& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::Invalid, fmt::format("--env-file: {} cannot be read", path));
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos || line.starts_with('#')) continue;
    set_pair(pairs, line, true);
  }
  return {};
}

// Replaces the entries for the same port or mount point.
void put_entry(Value& list, Value entry, std::string (*place_of)(Value const&)) {
  auto* const items = list.as_array();
  auto const place = place_of(entry);
  if (items && !place.empty()) std::erase_if(*items, [&](Value const& item) { return place_of(item) == place; });
  list.push(std::move(entry));
}

// A server that is newer than this program may answer another form: it is then replaced whole.
void make_fit(Kind kind, Value& into) {
  bool const is_list = kind == Kind::List || kind == Kind::Ports || kind == Kind::Mount || kind == Kind::Volume;
  bool const is_map = kind == Kind::Pairs || kind == Kind::Env || kind == Kind::EnvFile || kind == Kind::Ulimit;
  if ((is_list && !into.as_array()) || (is_map && !into.as_object())) into = Value();
}

Status apply_value(SpecFlag const& flag, std::string const& text, bool is_ingress, Value& into) {
  make_fit(flag.kind, into);
  switch (flag.kind) {
    case Kind::Text: into = Value(text); return {};
    case Kind::Number: into = number_or_text(text); return {};
    case Kind::Switch: into = Value(text == "true"); return {};
    case Kind::List:
      if (std::ranges::find(into.items(), Value(text)) == into.items().end()) into.push(text);
      return {};
    case Kind::Pairs: set_pair(into, text, false); return {};
    case Kind::Env: set_pair(into, text, true); return {};
    case Kind::EnvFile: return set_from_file(into, text);
    case Kind::Ports: {
      TRY(auto port, parse_publish(text, is_ingress));
      put_entry(into, std::move(port), port_place);
      return {};
    }
    case Kind::Mount: {
      TRY(auto mount, parse_mount_flag(text));
      put_entry(into, std::move(mount), mount_place);
      return {};
    }
    case Kind::Volume: put_entry(into, Value(text), mount_place); return {};
    case Kind::Ulimit: {
      TRY(auto ulimit, parse_ulimit(text));
      into.set(ulimit.key, std::move(ulimit.value));
      return {};
    }
  }
  return {};
}

void remove_value(SpecFlag const& flag, std::string const& text, Value& from) {
  auto const drop = [&](std::string const& place, std::string (*place_of)(Value const&)) {
    if (auto* const items = from.as_array()) std::erase_if(*items, [&](Value const& item) { return place_of(item) == place; });
  };
  if (flag.kind == Kind::Ports) drop(port_place(Value(text)), port_place);
  else if (flag.kind == Kind::Mount) drop(text, mount_place);
  else if (flag.kind == Kind::List) drop(text, [](Value const& item) { return std::string(item.text()); });
  else if (auto* const pairs = from.as_object()) pairs->erase(text);
}

bool is_prefix(std::string_view path, std::string_view pointer) {
  return pointer.starts_with(path) && (pointer.size() == path.size() || pointer[path.size()] == '/');
}

}  // namespace

std::vector<Option> spec_options(bool for_update) {
  std::vector<Option> options;
  for (auto const& flag : kFlags) {
    Option option{.name = flag.name, .letter = flag.letter, .value = flag.value, .help = help_of(flag), .words = words_of(flag)};
    if (flag.alias) option.aliases.emplace_back(flag.alias);
    if (for_update && has_add_alias(flag)) option.aliases.push_back(option.name + "-add");
    options.push_back(std::move(option));
    if (flag.kind == Kind::Ports)
      options.push_back({.name = kIngress, .help = "With --publish 8080:80: every node listens on 8080, for all instances."});
  }
  if (!for_update) return options;
  for (auto const& flag : kRemovals) {
    options.push_back({.name = flag.name, .value = flag.value, .help = fmt::format("Removes it from {}.", flag.path)});
  }
  return options;
}

Status apply_flags(Invocation const& invocation, Value& spec) {
  for (auto const& flag : kRemovals) {
    for (auto const& text : invocation.all(flag.name)) remove_value(flag, text, at_path(spec, flag.path));
  }
  bool const is_ingress = invocation.is_on(kIngress);
  if (is_ingress && !invocation.has("publish")) return fail(Code::Invalid, "--ingress goes with --publish: -p 8080:80 --ingress");
  for (auto const& flag : kFlags) {
    for (auto const& text : invocation.all(flag.name)) TRY_VOID(apply_value(flag, text, is_ingress, at_path(spec, flag.path)));
  }
  return {};
}

std::string flag_of_pointer(std::string_view pointer) {
  if (!pointer.starts_with("#/")) return std::string(pointer);
  auto const path = pointer.substr(2);
  if (path == "name") return "--name";
  if (path == "image") return "IMAGE";
  if (is_prefix("command", path)) return "COMMAND";
  for (auto const& flag : kFlags) {
    if (!is_prefix(flag.path, path)) continue;
    bool const is_keyed = (flag.kind == Kind::Env || flag.kind == Kind::Pairs) && path.size() > std::string_view(flag.path).size();
    auto const key = is_keyed ? path.substr(std::string_view(flag.path).size() + 1) : std::string_view();
    return fmt::format("--{}{}{}", flag.name, key.empty() ? "" : " ", key);
  }
  return std::string(pointer);
}

}  // namespace davit::cli
