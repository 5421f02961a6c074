#include "sim/store/store_cluster.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr Duration kShortestElection = 1s;
constexpr Duration kLongestElection = 2s;
constexpr Duration kAnotherElection = 500ms;

}  // namespace

StoreCluster::StoreCluster(Network& network, Directory& directory, Random random, Observer& observer, std::size_t members)
    : network_(network),
      random_(random),
      observer_(observer),
      delays_(network.loop()),
      data_(network.loop()),
      election_(network.loop().make_timer()) {
  for (std::size_t i = 0; i < members; ++i) members_.push_back(std::make_unique<StoreMember>(*this, directory, i, network.add_host()));
  for (auto& member : members_) member->start();
  subscription_ = data_.subscribe([this] {
    for (auto& member : members_) member->on_revision(data_.revision());
  });
  network.on_change([this] { review(); });
}

StoreCluster::~StoreCluster() { data_.unsubscribe(subscription_); }

std::string StoreCluster::address(std::size_t member) { return fmt::format("store{}", member + 1); }

Result<ports::Committed> StoreCluster::commit(ports::Commit const& commit) {
  bool const takes_the_last = takes_one_more_ && !commit.operations.empty();
  if (takes_the_last) data_.set_full(false);
  auto committed = data_.commit(commit);
  if (takes_the_last) data_.set_full(true);
  if (!committed || !committed->succeeded) return committed;
  observer_.on_committed(commit, *committed);
  if (!takes_the_last) return committed;
  takes_one_more_ = false;
  return fail(Code::Full, "the quota is reached");
}

void StoreCluster::set_full(bool is_full) {
  data_.set_full(is_full);
  takes_one_more_ = is_full;
}

bool StoreCluster::reaches_most(StoreMember const& member) const {
  auto const reached = std::ranges::count_if(members_, [&](auto const& each) {
    return each.get() == &member || (each->is_up() && network_.passes_both_ways(member.host(), each->host()));
  });
  return member.is_up() && static_cast<std::size_t>(reached) * 2 > members_.size();
}

bool StoreCluster::hears_leader(StoreMember const& member) const {
  if (!leader_ || !member.is_up()) return false;
  auto const& leader = *members_[*leader_];
  return &leader == &member || network_.passes_both_ways(leader.host(), member.host());
}

bool StoreCluster::serves(StoreMember const& member) const { return hears_leader(member) && reaches_most(*members_[*leader_]); }

void StoreCluster::review() {
  if (leader_ && !reaches_most(*members_[*leader_])) begin_election();
  for (auto& member : members_) member->on_reach_changed();
}

void StoreCluster::begin_election() {
  leader_.reset();
  data_.hold_leases(true);
  election_->set(loop().now().monotonic + random_.between(kShortestElection, kLongestElection), [this] { elect(); });
}

void StoreCluster::elect() {
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (reaches_most(*members_[i])) candidates.push_back(i);
  }
  if (candidates.empty()) return election_->set(loop().now().monotonic + kAnotherElection, [this] { elect(); });
  leader_ = random_.pick(candidates);
  data_.hold_leases(false);
  if (std::exchange(loses_leases_, false)) lose_lease();
  for (auto& member : members_) member->on_reach_changed();
}

void StoreCluster::change_leader(bool loses_leases) {
  loses_leases_ = loses_leases;
  if (leader_) begin_election();
}

void StoreCluster::lose_lease() {
  auto const leases = data_.leases();
  if (!leases.empty()) std::ignore = data_.revoke_lease(random_.pick(leases));
}

Duration StoreCluster::consensus_delay() { return random_.between(Duration(500us), Duration(4ms)); }

StoreCluster::Trouble StoreCluster::next_trouble(bool is_write) {
  if (flaky_ == 0 || !random_.one_in(is_write ? 4 : 12)) return {};
  return {.is_done = random_.below(3) != 0,
          .is_answered = random_.one_in(4),
          .late = random_.one_in(2) ? 0ns : random_.between(0ns, Duration(14s))};
}

}  // namespace davit::sim
