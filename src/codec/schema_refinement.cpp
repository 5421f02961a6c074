// The grammars of model/syntax.hpp and codec/short_forms.hpp once more, as regular expressions that both JavaScript and Python
// read alike. spec_schema_test.cpp holds them against the parsers.
#include <map>
#include <string>

#include <fmt/core.h>

#include "codec/spec_schema.hpp"
#include "model/syntax.hpp"
#include "model/validate.hpp"

namespace davit::codec {
namespace {

std::string const kPort = "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
std::string const kIpv4 = "(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
// Not every way to write one, but every address has one of these.
std::string const kIpv6 =
    "(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,5})?::(?:[0-9a-fA-F]{1,4})?)";
std::string const kAddress = "(?:" + kIpv4 + "|" + kIpv6 + ")";
// Segments other than "..", without `not_in`.
std::string path(std::string_view not_in) { return fmt::format("(?:/(?!\\.\\.(?:[/{0}]|$))[^/{0}\\u0000]*)", not_in); }
// A path in the container, which is not the root.
std::string target(std::string_view not_in) {
  return fmt::format("(?!/+(?:[{0}]|$)){1}+", not_in.empty() ? "\\u0000" : not_in, path(not_in));
}
std::string const kLabel = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
std::string const kEngineName = "[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}";
std::string const kDomain = "[^ \\t\\r\\n/:\\u0000]{1,253}";
std::string const kLabelKey = "[a-zA-Z0-9][a-zA-Z0-9_./-]{0,254}";  // of a node
std::string const kKey = "[^=\\u0000]+";

Value whole(std::string const& body) { return Value::object({{"pattern", "^(?:" + body + ")$"}}); }
Value maybe(std::string const& body) { return whole(body + "|"); }

std::string image() {
  std::string const registry = fmt::format("(?:localhost(?::[0-9]+)?|{0}(?:\\.{0})+(?::[0-9]+)?|{0}:[0-9]+)/", kLabel);
  std::string const segment = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
  std::string const no_registry = "[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*";  // a dot before the first slash makes a registry
  std::string const suffix = "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?";
  return fmt::format("(?:{0}{1}(?:/{1})*|{2}(?:/{1})+|{1}){3}", registry, segment, no_registry, suffix);
}

std::string signal() {
  std::string names;
  for (auto const name : model::signal_names()) names += fmt::format("{}|", name);
  return fmt::format("(?:SIG)?(?:{}RTMIN(?:\\+(?:[1-9]|1[0-5]))?|RTMAX(?:-(?:[1-9]|1[0-5]))?)|[1-9]|[1-5][0-9]|6[0-4]", names);
}

std::string port() {
  return fmt::format("(?:(?:{1}|\\[{2}\\]):(?:{0}(?:-{0})?)?:|{0}(?:-{0})?:)?{0}(?:/(?:tcp|udp|sctp))?", kPort, kIpv4, kIpv6);
}
std::string mount() { return fmt::format("(?:{0}|{1}+):{2}(?::(?:ro|rw))?|{2}", kEngineName, path(":"), target(":")); }
std::string device() { return fmt::format("{0}+(?::{0}+(?::[rwm]{{1,3}})?)?", path(":")); }

// Blanks that the parser bears are left out.
std::string constraint() {
  std::string const other = "(?:id|name|hostname|platform\\.os|platform\\.arch|labels\\." + kLabelKey + ")";
  std::string const sign = "[a-zA-Z0-9:_.*()?+\\[\\]\\\\^$|/-]";
  return fmt::format("node\\.(?:role[!=]=(?:master|manager|worker)|{}[!=]={}{{1,255}})", other, sign);
}
std::string spread() { return fmt::format("(?:node\\.labels\\.{0}|(?!node\\.labels\\.){0})", kLabelKey); }

std::map<std::string, Value, std::less<>> make_all() {
  std::string const capability = "[A-Z_]+";
  return {
      {"image", whole(image()).set("maxLength", 255)},
      {"hostname", Value::object({{"pattern", fmt::format("^(?:{0}(?:\\.{0})*|)$", kLabel)}, {"maxLength", 63}})},
      {"working_dir", whole(path("") + "*")},
      {"stop_signal", maybe(signal())},
      {"network_mode", maybe(kEngineName)},
      {"cap_add[]", whole(capability)},
      {"cap_drop[]", whole(capability)},
      {"security_opt[]", whole("[^\\u0000]+")},
      {"devices[]", whole(device())},
      {"dns[]", whole(kAddress)},
      {"dns_search[]", whole(kDomain)},
      {"extra_hosts[]", whole(fmt::format("{}:(?:host-gateway|{})", kDomain, kAddress))},
      {"tmpfs[]", whole(target(":") + "(?::[^\\u0000]*)?")},
      {"ports", Value::object({{"maxItems", model::kMaxPortEntries}, {"uniqueItems", true}})},
      {"ports[]", whole(port())},
      {"ports[]/name", Value::object({{"pattern", "^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|)$"}, {"maxLength", 63}})},
      {"ports[]/host_ip", whole(kAddress)},
      {"volumes", Value::object({{"uniqueItems", true}})},
      {"volumes[]", whole(mount())},
      {"volumes[]/target", whole(target(""))},
      {"volumes[]/source:volume", maybe(kEngineName)},
      {"volumes[]/source:bind", whole(path("") + "+")},
      {"environment", whole(kKey)},
      {"labels", whole(kKey)},
      {"container_labels", whole("(?!davit\\.)" + kKey)},
      {"sysctls", whole(kKey)},
      {"logging/options", whole(kKey)},
      {"placement/constraints", Value::object({{"maxItems", model::kMaxConstraints}})},
      {"placement/constraints[]", whole(constraint())},
      {"placement/preferences", Value::object({{"maxItems", 1}})},
      {"placement/preferences[]", whole("(?:spread=)?" + spread())},
      {"placement/spread_by", maybe(spread())},
      {"resources/limits/memory", Value::object({{"minimum", model::kMinMemoryLimit.count}})},
      {"resources/limits/memory:text", whole("(?:[6-9]|[1-9][0-9]{1,5})(?:\\.[0-9]{1,3})?[mMgGtT](?:[iI]?[bB])?")},
      {"resources/limits/cpus", Value::object({{"minimum", model::kMinCpuLimit}})},
  };
}

}  // namespace

Value schema_refinement(std::string_view path) {
  static auto const all = make_all();
  auto const found = all.find(path);
  return found == all.end() ? Value() : found->second;
}

}  // namespace davit::codec
