#include "core/registry/sweeper.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::registry {
namespace {

constexpr Duration kCallLimit = 5s;
constexpr std::size_t kMostErasures = 8;
constexpr std::size_t kMostLooks = 2;  // under way: each makes the registry go through all checks that there are
constexpr Duration kLookAgain = 500ms;
constexpr Duration kLookRarely = 30s;
constexpr std::uint32_t kSoonLooks = 240;  // two minutes: an agent that lives has forgotten the entries by then

}  // namespace

void Sweeper::step(Now now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  std::visit([this](auto const& each) { on(each); }, event);
  send_due();
  out_ = nullptr;
}

Monotonic Sweeper::wake_at() const {
  auto at = kNever;
  if (looks_under_way() >= kMostLooks) return at;  // the answer wakes it
  for (auto const& [id, node] : nodes_) {
    if (!node.is_swept && node.look_op == 0 && node.erase_ops.empty()) at = std::min(at, node.look_at);
  }
  return at;
}

void Sweeper::on(Down const& event) {
  cluster_ = event.cluster;
  std::erase_if(nodes_, [&](auto const& each) { return !event.nodes.contains(each.first); });
  for (auto const& [id, name] : event.nodes) nodes_.try_emplace(id, Node{.name = name, .look_at = now_.monotonic});
}

void Sweeper::on(CallDone const& event) {
  for (auto& [id, node] : nodes_) {
    if (node.look_op == event.op) return on_looked(node, event.outcome);
    if (node.erase_ops.contains(event.op)) return on_erased(node, event.op, event.outcome);
  }
}

void Sweeper::on_looked(Node& node, Result<model::RegistryReply> const& outcome) {
  node.look_op = 0;
  node.look_at = now_.monotonic + (++node.looks < kSoonLooks ? kLookAgain : kLookRarely);
  auto const* entries = outcome ? std::get_if<model::SpreadEntries>(&*outcome) : nullptr;
  if (!entries) return;  // the registrars of this machine say so
  for (auto const& entry : entries->all) {
    if (!entry.is_agent_alive && entry.id.starts_with("davit-")) node.to_erase.push_back(entry);
  }
  node.is_swept = entries->all.empty();
  if (!node.is_swept || node.erased == 0) return;
  out_->push_back(Noted{false, fmt::format("took {} entries of {}, which is down, out of Consul", node.erased, node.name)});
}

void Sweeper::on_erased(Node& node, OpId op, Result<model::RegistryReply> const& outcome) {
  node.erase_ops.erase(op);
  if (outcome) {
    ++node.erased;
    return;
  }
  node.to_erase.clear();  // it is looked at again
  if (node.looks > 1 && node.looks != kSoonLooks) return;
  out_->push_back(Noted{true, fmt::format("entries of {}, which is down, stay in Consul: {}", node.name, outcome.error().message)});
}

void Sweeper::send_due() {
  for (auto& [id, node] : nodes_) {
    if (node.look_op != 0) continue;
    while (!node.to_erase.empty() && node.erase_ops.size() < kMostErasures) {
      node.erase_ops.insert(call(model::EraseSpread{node.to_erase.back().host, node.to_erase.back().id}));
      node.to_erase.pop_back();
    }
    bool const is_due = !node.is_swept && node.erase_ops.empty() && node.look_at <= now_.monotonic;
    if (is_due && looks_under_way() < kMostLooks) node.look_op = call(model::FindSpread{cluster_, id});
  }
}

std::size_t Sweeper::looks_under_way() const {
  return static_cast<std::size_t>(std::ranges::count_if(nodes_, [](auto const& each) { return each.second.look_op != 0; }));
}

OpId Sweeper::call(model::RegistryCall what) {
  auto const op = next_op_++;
  out_->push_back(Call{op, std::move(what), now_.monotonic + kCallLimit});
  return op;
}

}  // namespace davit::registry
