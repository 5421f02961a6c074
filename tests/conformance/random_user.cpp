#include "conformance/random_user.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace davit::conformance {
namespace {

constexpr int kSteps = 1500;

std::string text(ports::KeyValue const& item) {
  return fmt::format("{}={} c{} m{} v{}", item.key, item.value, item.create_revision, item.mod_revision, item.version);
}
std::string text(Result<ports::Committed> const& result) {
  return result ? fmt::format("{} r{}", result->succeeded, result->revision) : std::string(to_string(result.error().code));
}
std::string text(Result<ports::RangeResult> const& result) {
  if (!result) return std::string(to_string(result.error().code));
  std::string all = fmt::format("r{} more {}", result->revision, result->more);
  for (auto const& item : result->items) all += " " + text(item);
  return all;
}

}  // namespace

RandomUser::RandomUser(StoreHarness& harness, std::uint64_t seed) : client_(harness), random_(seed) {
  for (auto& lease : leases_) lease = client_.grant_lease(24h)->lease;
}

std::string RandomUser::step() {
  switch (below(10)) {
    case 0: return text(client_.range(range()));
    case 1: return text(client_.range(range(oldest_ + below(40))));
    case 2: return below(20) == 0 ? compact() : std::string();
    case 3: return below(20) == 0 ? renew() : std::string();
    default: return text(client_.commit(compares(), operations()));
  }
}

std::string RandomUser::key() { return fmt::format("{}{}", below(2) == 0 ? "a/" : "b/", below(6)); }

ports::Range RandomUser::range(std::int64_t revision) {
  char const* const prefixes[] = {"", "a/", "b/", "b/3", "c"};
  ports::Range range{.prefix = prefixes[below(5)], .revision = revision, .limit = below(4), .after = {}};
  if (below(3) == 0) range.after = key();
  return range;
}

std::vector<ports::Compare> RandomUser::compares() {
  if (below(2) == 0) return {};
  return {version_is(key(), below(4))};
}

std::vector<ports::Operation> RandomUser::operations() {
  std::vector<ports::Operation> operations;
  for (auto count = below(4); count > 0; --count) {
    if (below(3) == 0) operations.emplace_back(erase(key()));
    else operations.emplace_back(put(key(), std::to_string(below(100)), below(4) == 0 ? leases_[below(2)] : 0));
  }
  return operations;
}

std::string RandomUser::compact() {
  oldest_ = std::max(oldest_, client_.revision() - 20);
  return client_.compact(oldest_).has_value() ? "compacted" : "not compacted";
}

std::string RandomUser::renew() {
  auto& lease = leases_[below(2)];
  std::string const result = client_.revoke_lease(lease).has_value() ? "revoked" : "not revoked";
  lease = client_.grant_lease(24h)->lease;
  return result;
}

void expect_alike(StoreHarness& one, StoreHarness& other, std::uint64_t seed) {
  WatchRecord const one_record(one, "a/", 0);
  WatchRecord const other_record(other, "a/", 0);
  RandomUser one_user(one, seed);
  RandomUser other_user(other, seed);
  for (int i = 0; i < kSteps; ++i) ASSERT_EQ(one_user.step(), other_user.step()) << "step " << i;
  EXPECT_EQ(StoreClient(one).revision(), StoreClient(other).revision());
  EXPECT_EQ(one_record.lines(), other_record.lines());
  EXPECT_GT(one_record.lines().size(), 100u);
}

}  // namespace davit::conformance
