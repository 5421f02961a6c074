#include "core/placement/index.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/placement/score.hpp"

namespace davit::placement {
namespace {

constexpr std::size_t kFew = 16;                   // nodes that are judged apart rather than in a ranking of the service's own
constexpr std::size_t kMostPlaces = std::size_t{2} << 20;  // in all rankings: about 100 MB
constexpr std::size_t kFramePlaces = 32;           // what a ranking weighs besides
constexpr std::size_t kChangesKept = 4;            // for each node

}  // namespace

// ---- what is told

void Index::set_node(NodeIx node, Traits traits, Condition const& condition) {
  auto const i = to_index(node);
  if (i >= rooms_.size()) {
    rooms_.resize(i + 1);
    traits_.resize(i + 1);
    tie_breaks_.resize(i + 1);
    reset();
  }
  auto& room = rooms_[i];
  if (traits_[i] != traits) {
    room.is_worker = std::ranges::find(traits.roles, model::Role::Worker) != traits.roles.end();
    tie_breaks_[i] = static_cast<std::uint32_t>(stable_hash(fmt::format("{}/{}", seed_, to_string(traits.id))));
    traits_[i] = std::move(traits);
    reset();
  }
  if (room.condition == condition) return;
  room.condition = condition;
  note_change(node);
}

void Index::set_measured(NodeIx node, std::optional<Measured> const& measured) {
  auto& room = rooms_[to_index(node)];
  auto const values = measured.value_or(Measured{});
  bool const is_news = room.is_measured != measured.has_value() || room.measured != values || room.fresh != Amount{};
  room.is_measured = measured.has_value();
  room.measured = values;
  room.fresh = {};
  if (is_news) note_change(node);
}

void Index::add(NodeIx node, Request const& request, bool is_starting) {
  auto& room = rooms_[to_index(node)];
  ++room.instances;
  if (request.kind.reserved != Amount{}) room.reserved += request.kind.reserved;
  room.expected += request.expected;
  if (is_starting) room.starting += request.expected;
  for (auto const& port : request.ports) {
    auto& takers = takers_[port];
    takers.insert(std::ranges::upper_bound(takers, node), node);
  }
  note_change(node);
}

void Index::remove(NodeIx node, Request const& request, bool is_starting) {
  auto& room = rooms_[to_index(node)];
  CHECK(room.instances > 0, "node {} has no instance", traits_[to_index(node)].name);
  --room.instances;
  room.reserved -= request.kind.reserved;
  room.expected -= request.expected;
  if (is_starting) room.starting -= request.expected;
  for (auto const& port : request.ports) {
    auto const takers = takers_.find(port);
    takers->second.erase(std::ranges::lower_bound(takers->second, node));
    if (takers->second.empty()) takers_.erase(takers);
  }
  note_change(node);
}

void Index::on_running(NodeIx node, Request const& request) {
  auto& room = rooms_[to_index(node)];
  room.starting -= request.expected;
  room.fresh += request.expected;
}

void Index::forget(ServiceUid service) {
  auto const own = own_.find(service);
  if (own == own_.end()) return;
  places_ -= own->second.kept.ranking.set().nodes.size() + kFramePlaces;
  own_.erase(own);
}

// Who is eligible may have changed: everything is built again when it is asked for.
void Index::reset() {
  sets_.clear();
  kinds_.clear();
  own_.clear();
  places_ = 0;
  forgotten_changes_ += changes_.size() + 1;
  changes_.clear();
}

void Index::note_change(NodeIx node) {
  if (changes_.size() >= kChangesKept * rooms_.size() + 64) {
    auto const old = changes_.size() / 2;
    changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(old));
    forgotten_changes_ += old;
  }
  changes_.push_back(node);
}

// ---- what is asked

Sight Index::sight(NodeIx node, Search const& search) const {
  auto const refusal = std::ranges::find(search.refusals, node, &Refusal::node);
  return {.traits = traits(node),
          .room = room(node),
          .of_service = search.tally.at(node),
          .has_volume_elsewhere = search.only != kNoNode && search.only != node,
          .taken_port = taken_port(node, search.request.ports),
          .refusal = refusal == search.refusals.end() ? nullptr : &*refusal};
}

std::vector<Index::Takers::const_iterator> Index::takers_of(HostPort const& wanted) const {
  std::vector<Takers::const_iterator> found;
  auto each = takers_.lower_bound({wanted.protocol, wanted.number, {}});
  for (; each != takers_.end() && each->first.protocol == wanted.protocol && each->first.number == wanted.number; ++each) {
    if (model::share_address(each->first.address, wanted.address)) found.push_back(each);
  }
  return found;
}

std::optional<HostPort> Index::taken_port(NodeIx node, std::vector<HostPort> const& wanted) const {
  for (auto const& port : wanted) {
    for (auto const& takers : takers_of(port)) {
      if (std::ranges::binary_search(takers->second, node)) return port;
    }
  }
  return std::nullopt;
}

std::optional<NodeIx> Index::choose(Search const& search) {
  if (search.only != kNoNode) {
    bool const fits = to_index(search.only) < size() && !first_rejection(search.request, sight(search.only, search));
    return fits ? std::optional(search.only) : std::nullopt;
  }
  std::vector<NodeIx> apart;
  if (collect_few(search, apart)) {
    auto const& ranking = ranking_of(search.request.kind).ranking;
    return ranking.best(exceptions(ranking.set(), search, apart));
  }
  apart.clear();
  for (auto const& refusal : search.refusals) apart.push_back(refusal.node);
  auto const& ranking = own_ranking_of(search).ranking;
  std::vector<Ranking::Exception> refused;
  for (auto const node : apart) {
    if (auto const at = ranking.set().position(node); at != FeasibleSet::kNowhere) refused.push_back({at, 0, kUnfit<Key>});
  }
  std::ranges::sort(refused, {}, &Ranking::Exception::position);
  return ranking.best(refused);
}

// The nodes on which this service is not like another of its kind, if they are few.
bool Index::collect_few(Search const& search, std::vector<NodeIx>& nodes) const {
  if (search.tally.size() + search.refusals.size() > kFew) return false;
  for (auto const& entry : search.tally.entries()) nodes.push_back(entry.node);
  for (auto const& refusal : search.refusals) nodes.push_back(refusal.node);
  for (auto const& port : search.request.ports) {
    for (auto const& takers : takers_of(port)) {
      if (nodes.size() + takers->second.size() > 2 * kFew) return false;
      nodes.insert(nodes.end(), takers->second.begin(), takers->second.end());
    }
  }
  return true;
}

std::vector<Ranking::Exception> Index::exceptions(FeasibleSet const& set, Search const& search, std::span<NodeIx const> nodes) const {
  std::vector<Ranking::Exception> all;
  all.reserve(nodes.size());
  for (auto const node : nodes) {
    auto const position = set.position(node);
    if (position == FeasibleSet::kNowhere) continue;
    bool const is_refused = std::ranges::find(search.refusals, node, &Refusal::node) != search.refusals.end();
    auto const count = search.tally.at(node);
    all.push_back({position, count, is_refused ? kUnfit<Key> : own_key_at(node, search.request, count)});
  }
  std::ranges::sort(all, {}, &Ranking::Exception::position);
  auto const repeated = std::ranges::unique(all, {}, &Ranking::Exception::position);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

// ---- rankings

Key Index::key_at(NodeIx node, Kind const& kind, std::uint32_t count) const {
  auto const& room = rooms_[to_index(node)];
  if (!takes_part(room) || !has_resources(room, kind.reserved)) return kUnfit<Key>;
  return key_of(count, burden(room, kind.strategy), tie_break(node));
}

Key Index::own_key_at(NodeIx node, Request const& request, std::uint32_t count) const {
  if (request.max_per_node > 0 && count >= request.max_per_node) return kUnfit<Key>;
  return taken_port(node, request.ports) ? kUnfit<Key> : key_at(node, request.kind, count);
}

Index::Kept& Index::ranking_of(Kind const& kind) {
  auto const standing = [&](NodeIx node) { return Standing{0, key_at(node, kind, 0)}; };
  auto found = kinds_.find(kind);
  if (found == kinds_.end()) found = kinds_.emplace(kind, build(kind.eligibility, standing)).first;
  catch_up(found->second, standing);
  return found->second;
}

Index::Kept& Index::own_ranking_of(Search const& search) {
  auto const standing = [&](NodeIx node) {
    auto const count = search.tally.at(node);
    return Standing{count, own_key_at(node, search.request, count)};
  };
  auto found = own_.find(search.service);
  if (found != own_.end() && found->second.request != search.request) {
    forget(search.service);
    found = own_.end();
  }
  if (found == own_.end()) {
    auto kept = build(search.request.kind.eligibility, standing);
    found = own_.emplace(search.service, Own{search.request, std::move(kept)}).first;
  }
  catch_up(found->second.kept, standing);
  return found->second.kept;
}

template <class StandingOf>
Index::Kept Index::build(Eligibility const& eligibility, StandingOf const& standing_of) {
  free_space(size());
  auto set = set_for(eligibility);
  std::vector<Standing> standings;
  standings.reserve(set->nodes.size());
  for (auto const node : set->nodes) standings.push_back(standing_of(node));
  places_ += set->nodes.size() + kFramePlaces;
  return {Ranking(std::move(set), standings), version()};
}

// Each change is taken in once, however often it is asked; where more has changed than there are nodes, all are looked at.
template <class StandingOf>
void Index::catch_up(Kept& kept, StandingOf const& standing_of) {
  auto const& set = kept.ranking.set();
  bool const is_far_behind = kept.seen < forgotten_changes_ || version() - kept.seen > set.nodes.size();
  if (is_far_behind) {
    for (std::uint32_t i = 0; i < set.nodes.size(); ++i) kept.ranking.update(i, standing_of(set.nodes[i]));
  } else {
    for (auto i = kept.seen - forgotten_changes_; i < changes_.size(); ++i) {
      auto const position = set.position(changes_[i]);
      if (position != FeasibleSet::kNowhere) kept.ranking.update(position, standing_of(changes_[i]));
    }
  }
  kept.seen = version();
}

std::shared_ptr<FeasibleSet const> Index::set_for(Eligibility const& eligibility) {
  auto& set = sets_[eligibility];
  if (!set) set = std::make_shared<FeasibleSet const>(feasible_set(traits_, eligibility));
  return set;
}

// The simplest that is bounded: when there is no more space, all are dropped, and those in use are built again.
void Index::free_space(std::size_t wanted) {
  if (places_ + wanted + sets_.size() * (size() + kFramePlaces) <= kMostPlaces) return;
  sets_.clear();
  kinds_.clear();
  own_.clear();
  places_ = 0;
}

}  // namespace davit::placement
