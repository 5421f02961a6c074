#include "core/cluster/phi.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

constexpr Monotonic kStart{1000s};

PhiDetector beating(Duration interval, int times, Duration jitter = 0ms) {
  PhiDetector detector(interval, kStart);
  for (int i = 1; i <= times; ++i) detector.heard(kStart + i * interval + (i % 2 == 0 ? jitter : -jitter));
  return detector;
}
double seconds_to_suspicion(PhiDetector const& detector) {
  return std::chrono::duration<double>(detector.suspect_at() - detector.last_heard()).count();
}

TEST(Phi, suspects_a_steady_sender_about_three_seconds_after_its_last_beat) {
  for (int beats : {0, 1, 10, 1000}) EXPECT_NEAR(seconds_to_suspicion(beating(1s, beats)), 3.02, 0.01) << beats;
}

TEST(Phi, passes_the_threshold_exactly_at_suspect_at) {
  for (Duration jitter : {0ms, 20ms, 200ms, 400ms}) {
    auto const detector = beating(1s, 50, jitter);
    EXPECT_GE(detector.phi(detector.suspect_at()), kPhiThreshold - 1e-6);
    EXPECT_LT(detector.phi(detector.suspect_at() - 1ms), kPhiThreshold);
  }
}

TEST(Phi, grows_with_the_silence_and_stays_finite) {
  auto const detector = beating(1s, 20);
  double before = -1;
  for (auto silence : {0ms, 500ms, 1000ms, 2000ms, 2500ms, 3000ms, 4000ms, 10000ms}) {
    double const phi = detector.phi(detector.last_heard() + silence);
    EXPECT_TRUE(std::isfinite(phi));
    EXPECT_GE(phi, before);
    before = phi;
  }
  EXPECT_TRUE(std::isfinite(detector.phi(detector.last_heard() + 240h)));
}

TEST(Phi, gives_an_irregular_sender_more_time) {
  EXPECT_GT(seconds_to_suspicion(beating(1s, 50, 200ms)), seconds_to_suspicion(beating(1s, 50, 50ms)) + 0.5);
}

TEST(Phi, learns_nothing_from_an_outage) {
  auto detector = beating(1s, 50);
  auto const before = seconds_to_suspicion(detector);
  detector.heard(detector.last_heard() + 45s);
  EXPECT_EQ(seconds_to_suspicion(detector), before);
}

TEST(Phi, learns_nothing_from_a_reset) {
  auto detector = beating(1s, 50);
  auto const before = seconds_to_suspicion(detector);
  auto const now = detector.last_heard() + 1700ms;
  detector.reset(now);
  EXPECT_EQ(detector.last_heard(), now);
  EXPECT_EQ(seconds_to_suspicion(detector), before);
}

TEST(Phi, is_not_made_impatient_by_a_burst) {
  auto detector = beating(1s, 5);
  for (int i = 0; i < 200; ++i) detector.heard(detector.last_heard() + 1us);
  EXPECT_GE(seconds_to_suspicion(detector), 3.02);
}

TEST(Phi, is_not_alarmed_when_the_pace_slows_down_by_order) {
  auto detector = beating(1s, 100);
  detector.expect(5s);
  EXPECT_GT(seconds_to_suspicion(detector), 7.0);
  detector.heard(detector.last_heard() + 5s);
  EXPECT_GT(seconds_to_suspicion(detector), 7.0);
}

TEST(Phi, forgets_what_is_older_than_its_window) {
  auto detector = beating(1s, 50, 400ms);
  for (int i = 0; i < 101; ++i) detector.heard(detector.last_heard() + 1s);
  EXPECT_NEAR(seconds_to_suspicion(detector), 3.02, 0.01);
}

TEST(Phi, ignores_a_time_before_the_last_beat) {
  auto detector = beating(1s, 3);
  auto const last = detector.last_heard();
  detector.heard(last - 1s);
  detector.reset(last - 1s);
  EXPECT_EQ(detector.last_heard(), last);
}

}  // namespace
}  // namespace davit::cluster
