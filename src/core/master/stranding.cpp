// What a rollout must not stop for now, where it stops before it places, or gives way to what has found no room: an instance that nothing
// could follow, on its own node or on another one, and one whose next one's room others of its service are about to take. Nobody is told
// anything here; rollout.cpp goes by the marks.
#include <algorithm>
#include <set>

#include "base/planted.hpp"
#include "core/master/master.hpp"
#include "core/service/draft.hpp"
#include "core/service/terms.hpp"

namespace davit::master {
namespace {

using model::InstanceState;
using placement::Amount;

constexpr std::size_t kMostMoves = 256;  // of a service at a time: each is a search

Amount growth(Amount const& before, Amount const& after) {
  return {std::max<std::int64_t>(0, after.microcores - before.microcores), std::max<std::int64_t>(0, after.memory - before.memory)};
}

}  // namespace

// Room that slots of one service are to have after one plan, which the index does not know of yet.
struct Master::Promises {
  std::map<NodeIx, Amount> room;
  std::vector<placement::Refusal> barred;  // nodes that take no more, with what is promised
  std::set<NodeIx> with_ports;             // nodes that are to give ports that nothing of the service has there now
  std::size_t moves = 0;                   // slots that go to another node, or have no node yet
  // What the present revision asks for in place of an instance that counts by `before`, which many do.
  model::SpecRef before;
  placement::Request in_place;
  Amount given_back;

  bool are_any() const { return !room.empty() || !barred.empty(); }
  void enter(NodeIx node, Amount const& amount, bool has_ports, bool is_last) {
    if (planted(Bug::PromisesTwice)) return;
    if (amount != Amount{}) room[node] += amount;
    if (has_ports) with_ports.insert(node);
    if (is_last) bar(node);
  }
  void move_to(NodeIx node, placement::Request const& request) {
    ++moves;
    enter(node, request.kind.reserved, !request.ports.empty(), !request.ports.empty() || request.max_per_node > 0);
  }
  void bar(NodeIx node) { barred.push_back({node, kNever, model::Reason::None, {}}); }
};

// Whether its node would take an instance of the current revision if this one were gone, beside what is promised there.
bool Master::would_fit_in_place_of(Service const& service, Instance const& other, Promises& promises) const {
  auto const& placing = service.placing;
  if (promises.before != other.detail->accounted) {
    promises.before = other.detail->accounted;
    auto const given_back = request_by(placing, promises.before);
    promises.given_back = given_back.kind.reserved;
    promises.in_place = placing.request;
    std::erase_if(promises.in_place.ports, [&](placement::HostPort const& wanted) {
      return std::ranges::any_of(given_back.ports, [&](placement::HostPort const& port) {
        return port.protocol == wanted.protocol && port.number == wanted.number && model::share_address(port.address, wanted.address);
      });
    });
  }
  auto const& request = promises.in_place;
  auto const only = only_node_for(service, other.slot, request);
  if (only != kNoNode && only != other.node) return false;
  if (!request.ports.empty() && promises.with_ports.contains(other.node)) return false;
  auto const sight =
      placement_.sight(other.node, {.service = service.head.uid, .request = request, .tally = placing.tally, .refusals = {}});
  auto room = sight.room;
  room.reserved -= promises.given_back;
  if (auto const promised = promises.room.find(other.node); promised != promises.room.end()) room.reserved += promised->second;
  return !first_rejection(request, {sight.traits, room, sight.of_service - 1, false, sight.taken_port, nullptr});
}

bool Master::promise_place_of(Service const& service, Instance const& other, Promises& promises) const {
  if (!would_fit_in_place_of(service, other, promises)) return false;
  bool const takes_ports = !promises.in_place.ports.empty();
  promises.enter(other.node, growth(promises.given_back, promises.in_place.kind.reserved), takes_ports, takes_ports);
  return true;
}

bool Master::would_fit_in_place_of_another(Service const& service, Instance const& instance) const {
  auto const same_slot = service.instances.of_slot(instance.slot);
  auto const is_somewhere = [](Instance const& other) { return other.node != kNoNode; };
  Promises none;
  return std::ranges::none_of(same_slot, is_somewhere) || std::ranges::any_of(same_slot, [&](Instance const& other) {
           return is_somewhere(other) && would_fit_in_place_of(service, other, none);
         });
}

std::optional<NodeIx> Master::find_room(Service const& service, std::uint32_t slot, Promises& promises) {
  auto const& placing = service.placing;
  for (;;) {
    auto const node = placement_.choose({.service = service.head.uid,
                                         .request = placing.request,
                                         .tally = placing.tally,
                                         .only = only_node_for(service, slot, placing.request),
                                         .refusals = promises.barred});
    auto const promised = node ? promises.room.find(*node) : promises.room.end();
    if (promised == promises.room.end()) return node;
    auto room = placement_.room(*node);
    room.reserved += promised->second;
    if (has_resources(room, placing.request.kind.reserved)) return node;
    promises.bar(*node);
  }
}

// To slots that are between two instances, and to those that come first because they serve nobody: what they left, or are about to leave,
// is theirs.
Master::Promises Master::promise_to_those_between(Service const& service, std::size_t most) {
  Promises promises;
  auto const promise = [&](std::uint32_t slot) {
    if (promises.moves >= most) return;
    if (auto const node = find_room(service, slot, promises)) promises.move_to(*node, service.placing.request);
  };
  for (auto const& instance : service.instances) {
    if (instance.slot > static_cast<std::uint32_t>(service.head.spec()->instances)) break;
    auto const others = service.instances.of_slot(instance.slot);
    bool const is_followed = std::ranges::any_of(others, [&](Instance const& other) {
      return other.revision == service.head.revision && !other.stop_sent && other.node != kNoNode;
    });
    if (is_followed) continue;
    bool const serves_nobody = std::ranges::none_of(others, service::may_serve);
    bool const leaves = instance.stop_sent || (serves_nobody && instance.revision != service.head.revision);
    if (leaves && instance.node != kNoNode) {
      if (!promise_place_of(service, instance, promises)) promise(instance.slot);
    } else if (instance.state == InstanceState::Pending && instance.node == kNoNode &&
               (instance.revision == service.head.revision || instance.detail->rare->before == service::Departure::Stopped)) {
      promise(instance.slot);
    }
  }
  for (auto const slot : missing_slots(service, most)) promise(slot);
  return promises;
}

// What never found a node takes no room that is promised to those that have one.
bool Master::hold_homeless(Service& service, std::uint32_t slots, std::size_t most, Promises& promises) {
  if (!promises.are_any()) return false;
  bool is_any_held = false;
  for (auto& instance : service.instances) {
    bool const waits = instance.slot <= slots && instance.state == InstanceState::Pending && instance.node == kNoNode &&
                       instance.revision != service.head.revision && !instance.stop_sent &&
                       instance.detail->rare->before != service::Departure::Stopped;
    auto const is_somewhere = [](Instance const& other) { return other.node != kNoNode; };
    if (!waits || std::ranges::any_of(service.instances.of_slot(instance.slot), is_somewhere)) continue;
    auto const node = promises.moves < most ? find_room(service, instance.slot, promises) : std::nullopt;
    if (node) promises.move_to(*node, service.placing.request);
    instance.is_held = !node;
    is_any_held |= !node;
  }
  return is_any_held;
}

bool Master::mark_stranded(Service& service) {
  auto const terms = service.exists() ? service::terms_of(service.head) : service::Terms{};
  bool const rolls = !planted(Bug::StopsBlindly) && service.exists() && service.head.rollout.is_under_way() &&
                     (!terms.is_start_first || terms.may_give_way);
  auto const slots = rolls ? static_cast<std::uint32_t>(service.head.spec()->instances) : 0;
  auto const most = std::min(terms.parallelism, kMostMoves);
  auto promises = rolls ? promise_to_those_between(service, most) : Promises();
  auto const gives_way = [&](Instance const& old) {
    return std::ranges::any_of(service.instances.of_slot(old.slot), [&](Instance const& next) {
      return next.revision == service.head.revision && service::waits_for_room(next);
    });
  };
  Promises none;
  std::optional<bool> fits_anywhere;  // one that may go to any node, whatever is promised
  bool is_any_marked = false;
  for (auto& instance : service.instances) {
    bool const is_outdated = instance.slot <= slots && instance.node != kNoNode && instance.revision != service.head.revision &&
                             !instance.stop_sent && service::may_serve(instance) && (!terms.is_start_first || gives_way(instance));
    bool is_stranded = false;
    instance.is_held = false;
    if (is_outdated && promise_place_of(service, instance, promises)) {
      // It may stop.
    } else if (is_outdated && terms.is_start_first) {
      instance.is_held = true;
    } else if (is_outdated) {
      auto const node = promises.moves < most ? find_room(service, instance.slot, promises) : std::nullopt;
      bool const may_go_anywhere = only_node_for(service, instance.slot, service.placing.request) == kNoNode;
      if (node) promises.move_to(*node, service.placing.request);
      else if (would_fit_in_place_of(service, instance, none)) instance.is_held = true;
      else if (!may_go_anywhere) instance.is_held = find_room(service, instance.slot, none).has_value();
      else instance.is_held = fits_anywhere ? *fits_anywhere : *(fits_anywhere = find_room(service, instance.slot, none).has_value());
      is_stranded = !node && !instance.is_held;
    }
    is_any_marked |= is_stranded || instance.is_held;
    if (is_stranded == instance.is_stranded()) continue;
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.stranded_since = is_stranded ? now_.monotonic : kNever; });
    touch(service);
  }
  return hold_homeless(service, slots, most, promises) || is_any_marked;
}

}  // namespace davit::master
