#include "core/cluster/phi.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace davit::cluster {
namespace {

constexpr Duration kLongest = 60s;  // an interval beyond counts as this: squares_ cannot overflow

double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
Duration from_seconds(double seconds) { return Duration(static_cast<Duration::rep>(std::ceil(seconds * 1e9))); }

constexpr double exponent(double y) { return y * (1.5976 + 0.070566 * y * y); }

// The y of the threshold: e / (1 + e) = 10⁻⁸, so exponent(y) = ln(10⁸ − 1).
constexpr double y_at_threshold() {
  double const wanted = 18.420680733952365;
  double low = 0;
  double high = 10;
  for (int i = 0; i < 60; ++i) {
    double const middle = (low + high) / 2;
    (exponent(middle) < wanted ? low : high) = middle;
  }
  return high;
}
constexpr double kYAtThreshold = y_at_threshold();

}  // namespace

PhiDetector::PhiDetector(Duration expected, Monotonic now) : last_(now), expected_(expected) {}

// An interval that raised a suspicion was an outage, not the sender's pace: to learn it would delay the next suspicion.
void PhiDetector::heard(Monotonic now) {
  if (now < last_) return;
  if (now < suspect_at()) sample(now - last_);
  last_ = now;
}

void PhiDetector::reset(Monotonic now) { last_ = std::max(last_, now); }

void PhiDetector::expect(Duration interval) { expected_ = interval; }

void PhiDetector::sample(Duration interval) {
  if (count_ == kWindow) drop_oldest();
  auto const us = std::chrono::floor<std::chrono::microseconds>(std::min(interval, kLongest)).count();
  auto const length = static_cast<std::uint32_t>(us);
  window_[next_] = length;
  next_ = static_cast<std::uint8_t>((next_ + 1) % kWindow);
  ++count_;
  sum_ += length;
  squares_ += std::uint64_t{length} * length;
}

void PhiDetector::drop_oldest() {
  std::uint64_t const oldest = window_[(next_ + kWindow - count_) % kWindow];
  sum_ -= oldest;
  squares_ -= oldest * oldest;
  --count_;
}

// A burst of held-up beats lowers the measured mean, but nobody promised them so soon.
double PhiDetector::mean_seconds() const {
  double const measured = count_ == 0 ? 0 : static_cast<double>(sum_) / count_ / 1e6;
  return std::max(measured, to_seconds(expected_));
}

double PhiDetector::deviation_seconds() const {
  if (count_ == 0) return to_seconds(kMinDeviation);
  double const mean = static_cast<double>(sum_) / count_;
  double const variance = std::max(0.0, static_cast<double>(squares_) / count_ - mean * mean);
  return std::max(std::sqrt(variance) / 1e6, to_seconds(kMinDeviation));
}

// −log10(e / (1 + e)), written so that neither a tiny e nor a huge one loses digits.
double PhiDetector::phi(Monotonic now) const {
  double const y = (to_seconds(now - last_) - mean_seconds() - to_seconds(kAcceptablePause)) / deviation_seconds();
  double const x = exponent(y);
  double const natural = x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  return natural * std::numbers::log10e;
}

Monotonic PhiDetector::overdue_at() const { return last_ + from_seconds(mean_seconds()) + kAcceptablePause; }

Monotonic PhiDetector::suspect_at() const {
  return last_ + from_seconds(mean_seconds() + kYAtThreshold * deviation_seconds()) + kAcceptablePause;
}

}  // namespace davit::cluster
