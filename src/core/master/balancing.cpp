// Rebalance: which instances would stand better on another node, and how they get there. The successor starts on that node and no
// other; where it does not take it, the instance stays where it is.
#include <algorithm>

#include <fmt/core.h>

#include "core/master/master.hpp"
#include "core/service/terms.hpp"

namespace davit::master {
namespace {

constexpr Duration kMoveLimit = 10min;

// Binpack wants some nodes full and others empty.
bool may_be_moved(Service const& service) {
  return service.exists() && service.status.state == service::State::Running &&
         service.head.spec()->placement.strategy != model::Strategy::Binpack &&
         service::terms_of(service.head).moving != service::Moving::Never;
}

}  // namespace

std::vector<PlannedMove> Master::rebalance(std::size_t most) const {
  auto const moves = placement::balance(placement_, [this](NodeIx ix) { return residents_of(*node(ix)); }, most);
  std::vector<PlannedMove> all;
  for (auto const& [what, from, to] : moves) all.push_back({names_.at(what.service), what.slot, what.id, from, to});
  return all;
}

std::vector<placement::Resident> Master::residents_of(Node const& node) const {
  std::vector<placement::Resident> all;
  for (auto const& [uid, id, slot] : instances_on(node)) {
    auto const& service = *find_by_uid(uid);
    auto const& instance = *service.find(slot, id);
    if (!may_be_moved(service) || service.placing.moves.contains(slot)) continue;
    if (!instance.is_ready() || instance.revision != service.head.revision) continue;
    all.push_back({uid, slot, id, &service.placing.request, &service.placing.tally});
  }
  return all;
}

void Master::begin_moves(Service& service, model::Move const& move) {
  for (auto const& target : move.targets) {
    auto const to = node_ix_.find(target.to);
    auto const* instance = service.find(target.slot, target.id);
    bool const is_good = instance && may_be_moved(service) && instance->node != kNoNode && !instance->stop_sent;
    if (!is_good || to == node_ix_.end() || instance->node == to->second) continue;  // what was planned elsewhere may be old
    service.placing.moves[target.slot] = {target.id, to->second, now_.monotonic + kMoveLimit};
    note(false, fmt::format("service {}: {}.{} is to move from {} to {}", service.head.name, service.head.name, target.slot,
                            node(instance->node)->record.name, node(to->second)->record.name));
  }
  plan_soon(service);
}

// Looked at again until its turn comes: what was planned may be of no use by then, and an instance that has to stop first must not stop
// in vain.
void Master::end_moves(Service& service) {
  std::erase_if(service.placing.moves, [&](auto const& each) {
    auto const& [slot, move] = each;
    auto const* old = service.find(slot, move.id);
    auto const in_slot = service.instances.of_slot(slot);
    bool const has_successor = std::ranges::any_of(in_slot, [&](Instance const& other) { return other.id != move.id; });
    bool const has_left = !old || old->stop_sent;
    if (has_left && has_successor) return true;
    bool const is_due = move.until > now_.monotonic && (has_left || has_successor || is_worth_moving(service, *old, move.to));
    if (!is_due) note(false, fmt::format("service {}: {}.{} stays where it is", service.head.name, service.head.name, slot));
    return !is_due;
  });
}

bool Master::is_worth_moving(Service const& service, Instance const& instance, NodeIx to) {
  auto const& request = service.placing.request;
  if (!instance.is_ready() || instance.node == kNoNode) return false;
  if (!placement::evens_out(placement_.room(instance.node), placement_.room(to), request)) return false;
  return placement_.choose({.service = service.head.uid, .request = request, .tally = service.placing.tally, .only = to, .refusals = {}})
      .has_value();
}

// A new instance of the slot. Not where it would stand in for one that can just as well stay.
bool Master::may_place_moved(Service& service, std::uint32_t slot) {
  auto const move = service.placing.moves.find(slot);
  if (move == service.placing.moves.end()) return true;
  placement::Search const search{.service = service.head.uid,
                                 .request = service.placing.request,
                                 .tally = service.placing.tally,
                                 .only = move->second.to,
                                 .refusals = {}};
  if (placement_.choose(search)) return true;
  auto const* old = service.find(slot, move->second.id);
  service.placing.moves.erase(move);
  plan_soon(service);
  return !old || old->stop_sent;
}

// The node has refused the successor, and the instance that was to move still runs.
bool Master::abandons_move(Service& service, Instance const& successor) {
  auto const move = service.placing.moves.find(successor.slot);
  if (move == service.placing.moves.end() || move->second.id == successor.id) return false;
  auto const* old = service.find(successor.slot, move->second.id);
  service.placing.moves.erase(move);
  plan_soon(service);
  return old && !old->stop_sent;
}

}  // namespace davit::master
