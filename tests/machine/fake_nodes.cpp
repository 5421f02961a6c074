#include "machine/fake_nodes.hpp"

#include <algorithm>

namespace davit::sim {

void FakeNodes::join(NodeId id, std::string name, std::string platform) {
  auto& node = nodes_[id];
  node.facts = {.id = id, .name = std::move(name), .address = "10.0.0.1", .roles = {model::Role::Worker}, .engine_up = true};
  node.facts.engine = {.version = "27.1", .api_version = "1.46", .platform = std::move(platform), .cpus = 4, .memory = {8LL << 30}};
  node.next_beat = loop_.make_timer();
  handlers_.on_joined(id);
  say(id, model::AgentHello{node.facts});
  say(id, model::Beat{});
}

std::vector<std::string> FakeNodes::running(std::string const& service) const {
  std::vector<std::string> names;
  for (auto const& [id, node] : nodes_) {
    auto const is_of_service = [&](auto const& each) { return each.second.service == service; };
    names.insert(names.end(), static_cast<std::size_t>(std::ranges::count_if(node.instances, is_of_service)), node.facts.name);
  }
  std::ranges::sort(names);
  return names;
}

void FakeNodes::measure(NodeId id, model::InstanceUse use) {
  model::InstancesMeasured message;
  for (auto const& [instance, report] : nodes_.at(id).instances) message.some.push_back({instance, report.uid, report.slot, use});
  say(id, std::move(message));
}

void FakeNodes::send(NodeId id, model::ToAgent message, Monotonic) {
  loop_.post([this, id, message = std::move(message)] {
    if (!nodes_.at(id).is_cut) std::visit([&](auto const& each) { on(id, each); }, message);
  });
}

void FakeNodes::say(NodeId id, model::ToMaster message) {
  loop_.post([this, id, message = std::move(message)] {
    if (!nodes_.at(id).is_cut) handlers_.on_message(id, message);
  });
}

void FakeNodes::on(NodeId id, model::FenceShards const& message) {
  model::FencesStored stored{.round = message.round, .fences = message.fences, .asker = message.asker};
  for (auto const& [instance, report] : nodes_.at(id).instances) stored.all.push_back(report);
  say(id, std::move(stored));
}

void FakeNodes::on(NodeId id, model::RunInstance const& message) {
  auto& instances = nodes_.at(id).instances;
  model::Verdict verdict{.id = message.id, .uid = message.uid, .slot = message.slot, .admitted = true};
  if (!instances.contains(message.id)) {
    offers_.emplace_back(id, message.id);
    if (refuses(id, message)) {
      verdict.admitted = false;
      verdict.reason = model::Reason::PortsExhausted;
      verdict.message = "all ports are taken";
      return say(id, std::move(verdict));
    }
  }
  auto& report = instances[message.id];
  report = {.id = message.id,
            .uid = message.uid,
            .service = message.service,
            .slot = message.slot,
            .revision = message.revision,
            .fence = message.fence,
            .state = model::InstanceState::Running,
            .ready = true};
  say(id, std::move(verdict));
  say(id, model::InstanceChanged{report});
}

void FakeNodes::on(NodeId id, model::StopInstance const& message) {
  nodes_.at(id).instances.erase(message.id);
  say(id, model::InstanceGone{message.id, message.uid, message.slot});
}

void FakeNodes::on(NodeId id, model::BeatBack const& message) {
  auto& node = nodes_.at(id);
  node.next_beat->set(loop_.now().monotonic + 1s, [this, id, stamp = message.stamp] {
    say(id, model::Beat{.load = load, .incarnation = nodes_.at(id).incarnation, .agent_clock = loop_.now().monotonic, .echo = stamp});
  });
}

}  // namespace davit::sim
