#include "base/ids.hpp"

#include <charconv>

#include <fmt/core.h>

namespace davit {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kLength = 12;

// "<era>-<revision>"
Result<std::pair<std::uint32_t, std::int64_t>> parse_pair(std::string_view text) {
  std::uint32_t era = 0;
  std::int64_t revision = 0;
  auto const* const end = text.data() + text.size();
  auto const first = std::from_chars(text.data(), end, era);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-')
    return fail(Code::Invalid, fmt::format("'{}' is not ERA-REVISION", text));
  auto const second = std::from_chars(first.ptr + 1, end, revision);
  if (second.ec != std::errc{} || second.ptr != end) return fail(Code::Invalid, fmt::format("'{}' is not ERA-REVISION", text));
  return std::pair{era, revision};
}

}  // namespace

std::string format_id60(std::uint64_t value) {
  std::string text(kLength, '0');
  for (std::size_t i = kLength; i-- > 0; value >>= 5) text[i] = kAlphabet[value & 31];
  return text;
}

Result<std::uint64_t> parse_id60(std::string_view text) {
  if (text.size() != kLength) return fail(Code::Invalid, fmt::format("'{}' is not an id of {} characters", text, kLength));
  std::uint64_t value = 0;
  for (char const c : text) {
    auto const digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return fail(Code::Invalid, fmt::format("'{}' has a character that no id has", text));
    value = value << 5 | digit;
  }
  return value;
}

std::string to_string(ServiceUid uid) { return fmt::format("{}-{}", uid.era, uid.revision); }
std::string to_string(Epoch epoch) { return fmt::format("{}-{}", epoch.era, epoch.revision); }

Result<ServiceUid> parse_service_uid(std::string_view text) {
  TRY(auto const pair, parse_pair(text));
  return ServiceUid{pair.first, pair.second};
}
Result<Epoch> parse_epoch(std::string_view text) {
  TRY(auto const pair, parse_pair(text));
  return Epoch{pair.first, pair.second};
}

std::uint64_t stable_hash(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char const c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;  // FNV's high bits are weak: MurmurHash3's finalizer
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
  return hash ^ hash >> 33;
}

ShardId shard_of(std::string_view service_name) { return {static_cast<std::uint16_t>(stable_hash(service_name) % kShards)}; }

}  // namespace davit
