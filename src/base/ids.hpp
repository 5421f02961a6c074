// The durable names of things (protocol.md §1). Each is a type of its own, ordered, and prints as users see it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

// 60 bits, written as 12 characters of Crockford's base32 in lower case.
template <class Tag>
struct Id60 {
  std::uint64_t value = 0;

  static constexpr std::uint64_t kMask = (std::uint64_t{1} << 60) - 1;
  explicit operator bool() const noexcept { return value != 0; }
  friend auto operator<=>(Id60 const&, Id60 const&) = default;
};
std::string format_id60(std::uint64_t value);
Result<std::uint64_t> parse_id60(std::string_view text);

template <class Tag>
std::string to_string(Id60<Tag> id) {
  return format_id60(id.value);
}
template <class Id>
Result<Id> parse_id(std::string_view text) {
  TRY(auto value, parse_id60(text));
  return Id{value};
}

using ClusterId = Id60<struct ClusterTag>;
using NodeId = Id60<struct NodeTag>;
using InstanceId = Id60<struct InstanceTag>;

// A service's identity over deletion and creation under the same name: the store's era and the revision it was created at.
struct ServiceUid {
  std::uint32_t era = 0;
  std::int64_t revision = 0;
  friend auto operator<=>(ServiceUid const&, ServiceUid const&) = default;
};
std::string to_string(ServiceUid uid);  // "1-4711"
Result<ServiceUid> parse_service_uid(std::string_view text);

// The fencing number of one holding of a shard: never reused, always growing.
struct Epoch {
  std::uint32_t era = 0;
  std::int64_t revision = 0;
  friend auto operator<=>(Epoch const&, Epoch const&) = default;
};
std::string to_string(Epoch epoch);  // "1-42"
Result<Epoch> parse_epoch(std::string_view text);

struct ShardId {
  std::uint16_t value = 0;
  friend auto operator<=>(ShardId const&, ShardId const&) = default;
};
inline constexpr std::uint16_t kShards = 128;
ShardId shard_of(std::string_view service_name);

// What every command to an agent carries.
struct Fence {
  ShardId shard;
  Epoch epoch;
  friend auto operator<=>(Fence const&, Fence const&) = default;
};

// 64-bit FNV-1a with a final mix: stable over versions and machines, because shards and ids depend on it.
std::uint64_t stable_hash(std::string_view bytes) noexcept;

}  // namespace davit
