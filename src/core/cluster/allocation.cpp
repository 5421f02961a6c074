#include "core/cluster/allocation.hpp"

#include <algorithm>

namespace davit::cluster {
namespace {

struct Member {
  std::string session;
  bool can_gain = false;
  std::size_t held = 0;
  std::size_t quota = 0;

  std::size_t limit(std::size_t shards) const { return can_gain ? shards : held; }
};

std::vector<Member> members_of(std::span<Candidate const> live) {
  bool const is_any_ready = std::ranges::any_of(live, &Candidate::is_ready);
  std::vector<Member> members;
  for (auto const& candidate : live) members.push_back({candidate.session, candidate.is_ready || !is_any_ready});
  std::ranges::sort(members, {}, &Member::session);
  return members;
}

Member* find(std::vector<Member>& members, std::string const& session) {
  auto const found = std::ranges::lower_bound(members, session, {}, &Member::session);
  return found != members.end() && found->session == session ? &*found : nullptr;
}

// Who holds each shard, where it is one of the members. Shards are granted in runs.
std::vector<Member*> holders_of(std::span<std::string const> owners, std::vector<Member>& members) {
  std::vector<Member*> holders(owners.size(), nullptr);
  for (std::size_t k = 0; k < owners.size(); ++k) {
    bool const is_as_before = k > 0 && owners[k] == owners[k - 1];
    holders[k] = is_as_before ? holders[k - 1] : find(members, owners[k]);
  }
  return holders;
}

// The highest level to which everyone can be filled, as far as his limit allows, without using more than there is.
std::size_t common_level(std::vector<Member> const& members, std::size_t shards) {
  auto const used = [&](std::size_t level) {
    std::size_t sum = 0;
    for (auto const& member : members) sum += std::min(member.limit(shards), level);
    return sum;
  };
  std::size_t level = 0;
  while (level < shards && used(level + 1) <= shards) ++level;
  return level;
}

// What is left above the common level goes one each, first to those that hold more already: they need not give it away.
void set_quotas(std::vector<Member>& members, std::size_t shards) {
  auto const level = common_level(members, shards);
  std::size_t left = shards;
  for (auto& member : members) left -= member.quota = std::min(member.limit(shards), level);
  for (bool const holders : {true, false}) {
    for (auto& member : members) {
      bool const takes = member.quota < member.limit(shards) && member.quota == level && (member.held > level) == holders;
      if (left == 0 || !takes) continue;
      ++member.quota;
      --left;
    }
  }
}

}  // namespace

std::vector<Grant> allocate(std::span<std::string const> owners, std::span<Candidate const> live) {
  if (live.empty()) return {};
  auto members = members_of(live);
  auto const holders = holders_of(owners, members);
  for (auto* holder : holders) {
    if (holder) ++holder->held;
  }
  set_quotas(members, owners.size());

  std::vector<bool> stays(owners.size(), false);
  for (std::size_t k = 0; k < owners.size(); ++k) {
    auto* holder = holders[k];
    if (holder == nullptr || holder->quota == 0) continue;
    stays[k] = true;
    --holder->quota;
  }
  std::vector<Grant> grants;
  auto receiver = members.begin();
  for (std::size_t k = 0; k < owners.size(); ++k) {
    if (stays[k]) continue;
    receiver = std::find_if(receiver, members.end(), [](Member const& member) { return member.quota > 0; });
    if (receiver == members.end()) break;
    --receiver->quota;
    grants.push_back({ShardId{static_cast<std::uint16_t>(k)}, receiver->session});
  }
  return grants;
}

}  // namespace davit::cluster
