// When the coordinator must not declare nodes down although they are unreachable (protocol.md §6): the brake on mass moves, set by the
// operator. Split brain is excluded by the store whatever the policy.
//
//   majority   hold while more than half of the electorate is unreachable (default)
//   quorum:N   hold while fewer than N workers are reachable; those that are down, for however long, are not
//   never      hold always: only `davit node mark-down` decides
//   any        never hold
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit::cluster {

struct DowningPolicy {
  enum class Kind : std::uint8_t { Majority, Quorum, Never, Any };
  Kind kind = Kind::Majority;
  std::uint32_t quorum = 0;  // of Kind::Quorum only; at least 1
  friend bool operator==(DowningPolicy const&, DowningPolicy const&) = default;
};

Result<DowningPolicy> parse_downing_policy(std::string_view text);
std::string to_string(DowningPolicy policy);

struct Electorate {
  std::size_t unreachable = 0;  // with those declared down lately
  std::size_t workers = 0;      // all that are not removed
  std::size_t reachable = 0;    // fewer than the rest: those that are down for long are in neither
};

// Why the unreachable ones are not to be declared down, for users; empty: they may be.
std::string hold_reason(DowningPolicy policy, Electorate const& electorate);

}  // namespace davit::cluster
