#include "api/render_node.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace davit::api {
namespace {

using codec::Value;

std::string address_of(model::NodeFacts const& facts) {
  if (facts.link_port == 0) return facts.address;  // one machine: nothing listens for peers
  bool const is_ipv6 = facts.address.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", facts.address, facts.link_port) : fmt::format("{}:{}", facts.address, facts.link_port);
}

// Out of this master's reach, though nobody has judged it yet.
model::NodeStatus status_of(master::Node const& node) {
  bool const is_silent = node.record.status == model::NodeStatus::Up && node.path.kind == master::Path::Kind::None;
  return is_silent ? model::NodeStatus::Unreachable : node.record.status;
}

// Sums of cores leave a rounding error behind.
Value amount(double cpus, Bytes memory) {
  return Value::object({{"cpus", std::max(0.0, std::round(cpus * 1e6) / 1e6)}, {"memory", memory.count}});
}

}  // namespace

Value render_member(master::Master const& master, master::Node const& node) {
  Value::Array roles;
  for (auto const role : node.record.roles) roles.emplace_back(model::to_string(role));
  auto const status = status_of(node);
  auto item = Value::object({{"name", node.record.name},
                             {"id", davit::to_string(node.record.id)},
                             {"address", address_of(node.facts)},
                             {"roles", std::move(roles)},
                             {"status", model::to_string(status)}});
  if (status == model::NodeStatus::Unreachable && !master.hold().empty()) item.set("message", master.hold());
  return item;
}

Value render_node(master::Master const& master, master::Node const& node) {
  auto item = render_member(master, node);
  auto labels = Value::object();
  for (auto const& [key, value] : node.record.labels) labels.set(key, value);
  auto const& engine = node.facts.engine;
  auto used = amount(node.load.cpus_used, node.load.memory_used);
  used.set("load_1m", node.load.load_1m);
  item.set("availability", model::to_string(node.record.availability));
  item.set("labels", std::move(labels));
  item.set("capacity", amount(engine.cpus, engine.memory));
  item.set("reserved", amount(node.reserved.cpus, node.reserved.memory));
  item.set("used", std::move(used));
  item.set("instances", node.instances);
  item.set("engine", Value::object({{"version", engine.version},
                                    {"api", engine.api_version},
                                    {"up", node.facts.engine_up},
                                    {"message", node.facts.engine_message}}));
  item.set("platform", engine.platform);
  return item;
}

}  // namespace davit::api
