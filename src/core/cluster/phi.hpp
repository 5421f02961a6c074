// How surely a node is gone, from the times at which its beats arrived (protocol.md §6: threshold 8, σ ≥ 100 ms, pause 1.5 s).
// One per node, 10,000 of them in a master: fixed memory, no allocation.
//
// Source: Hayashibara, Défago, Yared, Katayama, "The φ Accrual Failure Detector" (2004): φ(t) = −log10 P(a beat comes later than t), with
// the logistic approximation of the normal distribution and the acceptable pause that Akka's PhiAccrualFailureDetector uses:
//   φ(t) = −log10(e / (1 + e)),  e = exp(−y (1.5976 + 0.070566 y²)),  y = (t − mean − pause) / σ
// φ grows with t only, so the time of suspicion is known as soon as a beat has come: mean + pause + y₈ σ after it.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace davit::cluster {

inline constexpr double kPhiThreshold = 8;
inline constexpr Duration kMinDeviation = 100ms;
inline constexpr Duration kAcceptablePause = 1500ms;

class PhiDetector {
 public:
  // `expected`: how often beats are sent. As if one had arrived now.
  PhiDetector(Duration expected, Monotonic now);

  void heard(Monotonic now);
  // As if a beat had arrived now, which tells nothing of the intervals: the first of a connection, or the end of a pause of our own.
  void reset(Monotonic now);
  // The sender's new pace. The mean is never taken for less, so a slower pace is no suspicion.
  void expect(Duration interval);
  Duration expected() const { return expected_; }

  double phi(Monotonic now) const;
  Monotonic overdue_at() const;  // phi is 0.3 then: from here on the doubt grows with every moment
  Monotonic suspect_at() const;  // phi is 8 then, if nothing arrives before
  Monotonic last_heard() const { return last_; }

 private:
  static constexpr std::size_t kWindow = 100;

  void sample(Duration interval);
  void drop_oldest();
  double mean_seconds() const;
  double deviation_seconds() const;

  Monotonic last_;
  Duration expected_;
  std::uint64_t sum_ = 0;                       // µs
  std::uint64_t squares_ = 0;                   // µs²; 100 intervals of the greatest length fit
  std::array<std::uint32_t, kWindow> window_{};  // µs; a ring
  std::uint8_t next_ = 0;
  std::uint8_t count_ = 0;
};
static_assert(sizeof(PhiDetector) <= 500);

}  // namespace davit::cluster
