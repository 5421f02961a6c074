// The same random calls to two implementations must give the same answers: finds what the suite's authors did not think of.
#include <random>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "conformance/store_harness.hpp"

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

// Draws calls from a small world, so that keys, versions and revisions meet. One seed gives the same calls to each store.
class RandomUser {
 public:
  RandomUser(StoreHarness& harness, std::uint64_t seed) : client_(harness), random_(seed) {
    for (auto& lease : leases_) lease = client_.grant_lease(24h)->lease;
  }

  std::string step() {
    switch (below(10)) {
      case 0: return text(client_.range(range()));
      case 1: return text(client_.range(range(oldest_ + below(40))));
      case 2: return below(20) == 0 ? compact() : std::string();
      case 3: return below(20) == 0 ? renew() : std::string();
      default: return text(client_.commit(compares(), operations()));
    }
  }

 private:
  std::int64_t below(std::int64_t limit) { return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_); }
  std::string key() { return fmt::format("{}{}", below(2) == 0 ? "a/" : "b/", below(6)); }

  ports::Range range(std::int64_t revision = 0) {
    char const* const prefixes[] = {"", "a/", "b/", "b/3", "c"};
    ports::Range range{.prefix = prefixes[below(5)], .revision = revision, .limit = below(4), .after = {}};
    if (below(3) == 0) range.after = key();
    return range;
  }
  std::vector<ports::Compare> compares() {
    if (below(2) == 0) return {};
    return {version_is(key(), below(4))};
  }
  std::vector<ports::Operation> operations() {
    std::vector<ports::Operation> operations;
    for (auto count = below(4); count > 0; --count) {
      if (below(3) == 0) operations.emplace_back(erase(key()));
      else operations.emplace_back(put(key(), std::to_string(below(100)), below(4) == 0 ? leases_[below(2)] : 0));
    }
    return operations;
  }
  std::string compact() {
    oldest_ = std::max(oldest_, client_.revision() - 20);
    return client_.compact(oldest_).has_value() ? "compacted" : "not compacted";
  }
  std::string renew() {
    auto& lease = leases_[below(2)];
    std::string const result = client_.revoke_lease(lease).has_value() ? "revoked" : "not revoked";
    lease = client_.grant_lease(24h)->lease;
    return result;
  }

  StoreClient client_;
  std::mt19937_64 random_;
  std::int64_t leases_[2] = {};
  std::int64_t oldest_ = 1;
};

class StoreDifferential : public testing::TestWithParam<std::uint64_t> {};

TEST_P(StoreDifferential, answers_and_delivers_alike) {
  auto const memory = make_memory_harness();
  auto const sqlite = make_sqlite_harness();
  WatchRecord const memory_record(*memory, "a/", 0);
  WatchRecord const sqlite_record(*sqlite, "a/", 0);
  RandomUser memory_user(*memory, GetParam());
  RandomUser sqlite_user(*sqlite, GetParam());
  for (int i = 0; i < kSteps; ++i) ASSERT_EQ(memory_user.step(), sqlite_user.step()) << "step " << i;
  EXPECT_EQ(StoreClient(*memory).revision(), StoreClient(*sqlite).revision());
  EXPECT_EQ(memory_record.lines(), sqlite_record.lines());
  EXPECT_GT(memory_record.lines().size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreDifferential, testing::Values(1, 2, 3));

}  // namespace
}  // namespace davit::conformance
