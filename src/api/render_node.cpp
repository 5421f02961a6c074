#include "api/render_node.hpp"

#include <algorithm>
#include <cmath>

#include "base/host_port.hpp"

namespace davit::api {
namespace {

using codec::Value;

// Of a master where others call it.
std::string address_of(master::Master const& master, master::Node const& node) {
  auto const& masters = master.view().masters;
  if (auto const kept = masters.find(node.record.id); kept != masters.end() && !kept->second.record.address.empty())
    return kept->second.record.address;
  auto const& facts = node.facts;
  if (facts.link_port == 0) return facts.address;  // one machine: nothing listens for peers
  return host_port(facts.address, facts.link_port);
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

Value render_pressure(std::optional<model::Pressure> const& pressure) {
  if (!pressure) return {};
  auto const rounded = [](double share) { return std::round(share * 1e4) / 1e4; };
  return Value::object({{"cpu", rounded(pressure->cpu)}, {"memory", rounded(pressure->memory)}, {"io", rounded(pressure->io)}});
}

}  // namespace

Value render_master(model::MasterRecord const& record) {
  return Value::object({{"name", record.name},
                        {"id", davit::to_string(record.id)},
                        {"address", record.address},
                        {"roles", Value::array(model::to_string(model::Role::Master))},
                        {"status", model::to_string(model::NodeStatus::Up)}});
}

Value render_member(master::Master const& master, master::Node const& node) {
  Value::Array roles;
  for (auto const role : node.record.roles) roles.emplace_back(model::to_string(role));
  auto const status = status_of(node);
  auto item = Value::object({{"name", node.record.name},
                             {"id", davit::to_string(node.record.id)},
                             {"address", address_of(master, node)},
                             {"roles", std::move(roles)},
                             {"status", model::to_string(status)}});
  if (status == model::NodeStatus::Unreachable && !master.hold().empty()) item.set("message", master.hold());
  else if (status == model::NodeStatus::Up && !node.clock_warning.empty()) item.set("message", node.clock_warning);
  return item;
}

Value render_node(master::Master const& master, master::Node const& node) {
  auto item = render_member(master, node);
  auto labels = Value::object();
  for (auto const& [key, value] : node.labels()) labels.set(key, value);
  auto const& engine = node.facts.engine;
  auto used = amount(node.load.cpus_used, node.load.memory_used);
  used.set("load_1m", node.load.load_1m);
  used.set("pressure", render_pressure(node.load.pressure));
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
