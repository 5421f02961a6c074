#include "sim/net/host_clock.hpp"

#include <algorithm>

namespace davit::sim {
namespace {

constexpr std::int64_t kMillion = 1'000'000;
constexpr Duration kBootsIn = 8s;

}  // namespace

Monotonic HostClock::own_time(Monotonic true_time) const {
  auto const elapsed = true_time - true_base_;
  if (rate_ == 0) return own_base_ + elapsed;
  return own_base_ + elapsed + Duration(static_cast<std::int64_t>(static_cast<__int128>(elapsed.count()) * rate_ / kMillion));
}

Monotonic HostClock::true_time(Monotonic own) const {
  auto const now = loop_.now().monotonic;
  if (own == kNever) return kNever;
  if (own <= own_time(now)) return now;
  auto const elapsed = own - own_base_;
  if (rate_ == 0) return true_base_ + elapsed;
  auto at = true_base_ + Duration(static_cast<std::int64_t>(static_cast<__int128>(elapsed.count()) * kMillion / (kMillion + rate_)));
  while (own_time(at) < own) at += 1ns;
  return std::max(at, now);
}

void HostClock::reboot() {
  own_base_ = Monotonic{} + kBootsIn;
  true_base_ = loop_.now().monotonic;
}

void HostClock::set_rate(std::int64_t parts_per_million) {
  auto const now = loop_.now().monotonic;
  own_base_ = own_time(now);
  true_base_ = now;
  rate_ = parts_per_million;
}

}  // namespace davit::sim
