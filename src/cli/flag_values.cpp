#include "cli/flag_values.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "codec/json.hpp"
#include "codec/short_forms.hpp"

namespace davit::cli {
namespace {

using codec::Value;

struct KnownKey {
  std::string_view key;
  std::string_view field;
};

// "a=b,c": each key by its field's name; a key without "=" is a switch that is on.
Result<Value> parse_fields(std::string_view flag, std::string_view text, std::span<KnownKey const> known) {
  auto fields = Value::object();
  while (!text.empty()) {
    auto const comma = text.find(',');
    auto const part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    auto const equals = part.find('=');
    auto const found = std::ranges::find(known, part.substr(0, equals), &KnownKey::key);
    if (found == known.end()) {
      std::vector<std::string> keys;
      for (auto const& each : known) keys.emplace_back(each.key);
      auto const near = nearest(part.substr(0, equals), keys);
      return fail(Code::Invalid,
                  fmt::format("{}: no such key: {}{}", flag, part.substr(0, equals), near.empty() ? "" : "; did you mean " + near + "?"));
    }
    auto const value = equals == std::string_view::npos ? "true" : part.substr(equals + 1);
    bool const is_switch = value == "true" || value == "false";
    fields.set(found->field, is_switch ? Value(value == "true") : Value(value));
  }
  return fields;
}

// The short form of a port has no word for the mode. What is not understood here is for the server to refuse.
Value ingress_of(std::string_view text) {
  auto const port = codec::parse_port(text);
  if (!port) return Value(text);
  auto value = Value::object({{"target", port->target}});
  if (port->published) value.set("published", *port->published);
  if (port->published_end) value.set("published_end", *port->published_end);
  value.set("protocol", model::to_string(port->protocol));
  value.set("mode", "ingress");
  if (port->host_ip != model::PortSpec().host_ip) value.set("host_ip", port->host_ip);
  return value;
}

}  // namespace

Value number_or_text(std::string_view text) {
  auto const value = codec::parse_json(text);
  return value && value->as_number() ? *value : Value(text);
}

Result<Value> parse_publish(std::string_view text, bool is_ingress) {
  if (!text.contains('=')) return is_ingress ? ingress_of(text) : Value(text);
  static constexpr std::array<KnownKey, 7> kKeys{{{"name", "name"},
                                                  {"target", "target"},
                                                  {"published", "published"},
                                                  {"protocol", "protocol"},
                                                  {"mode", "mode"},
                                                  {"host_ip", "host_ip"},
                                                  {"proxy_protocol", "proxy_protocol"}}};
  TRY(auto port, parse_fields("--publish", text, kKeys));
  for (auto const* const name : {"target", "published"}) {
    if (!port.at(name).is_null()) port.set(name, number_or_text(port.at(name).text()));
  }
  if (is_ingress && port.at("mode").is_null()) port.set("mode", "ingress");
  return port;
}

Result<Value> parse_mount_flag(std::string_view text) {
  static constexpr std::array<KnownKey, 9> kKeys{{{"type", "type"},
                                                  {"source", "source"},
                                                  {"src", "source"},
                                                  {"target", "target"},
                                                  {"destination", "target"},
                                                  {"dst", "target"},
                                                  {"readonly", "read_only"},
                                                  {"ro", "read_only"},
                                                  {"read_only", "read_only"}}};
  return parse_fields("--mount", text, kKeys);
}

Result<codec::Member> parse_ulimit(std::string_view text) {
  auto const equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(Code::Invalid, fmt::format("--ulimit: {} has no limit; write it as nofile=1024 or nofile=1024:2048", text));
  }
  auto const limits = text.substr(equals + 1);
  auto const colon = limits.find(':');
  auto const soft = limits.substr(0, colon);
  auto const hard = colon == std::string_view::npos ? soft : limits.substr(colon + 1);
  return codec::Member{std::string(text.substr(0, equals)),
                       Value::object({{"soft", number_or_text(soft)}, {"hard", number_or_text(hard)}})};
}

std::string port_place(Value const& entry) {
  if (entry.as_object()) {
    auto const target = entry.at("target").as_int();
    auto const protocol = entry.at("protocol").text();
    return target ? fmt::format("{}/{}", *target, protocol.empty() ? "tcp" : protocol) : "";
  }
  auto const text = entry.as_int() ? std::to_string(*entry.as_int()) : std::string(entry.text());
  auto const port = codec::parse_port(text);
  return port ? fmt::format("{}/{}", port->target, model::to_string(port->protocol)) : "";
}

std::string mount_place(Value const& entry) {
  if (entry.as_object()) return std::string(entry.at("target").text());
  auto const mount = codec::parse_mount(entry.text());
  return mount ? mount->target : "";
}

}  // namespace davit::cli
