// The same random calls to two implementations must give the same answers: finds what the suite's authors did not think of.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "conformance/store_harness.hpp"

namespace davit::conformance {

// Draws calls from a small world, so that keys, versions and revisions meet. One seed gives the same calls to each store.
class RandomUser {
 public:
  RandomUser(StoreHarness& harness, std::uint64_t seed);
  std::string step();  // a call; what it gave, as text

 private:
  std::int64_t below(std::int64_t limit) { return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(random_); }
  std::string key();
  ports::Range range(std::int64_t revision = 0);
  std::vector<ports::Compare> compares();
  std::vector<ports::Operation> operations();
  std::string compact();
  std::string renew();

  StoreClient client_;
  std::mt19937_64 random_;
  std::int64_t leases_[2] = {};
  std::int64_t oldest_ = 1;
};

// Both have the same history so far; each is watched under "a/" from here on.
void expect_alike(StoreHarness& one, StoreHarness& other, std::uint64_t seed);

}  // namespace davit::conformance
