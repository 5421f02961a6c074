#include "core/agent/probe_course.hpp"

#include <gtest/gtest.h>

namespace davit::agent {
namespace {

using model::Health;

constexpr Monotonic kStart{1000s};

struct ProbeCourseTest : testing::Test {
  // The next try, when it is due.
  Health attempt(bool is_ok) {
    now = course.due();
    course.on_sent();
    EXPECT_EQ(course.due(), kNever);
    course.on_outcome(is_ok, now);
    return course.health();
  }
  Duration passed() const { return now - kStart; }

  model::Healthcheck check{.test = {}, .http = {}, .tcp = {}, .interval = 10s, .retries = 3, .start_period = 20s, .start_interval = 5s};
  ProbeCourse course{check, kStart, false, kStart};
  Monotonic now = kStart;
};

TEST_F(ProbeCourseTest, begins_at_once_and_is_healthy_with_the_first_success) {
  EXPECT_EQ(course.health(), Health::Starting);
  EXPECT_EQ(course.due(), kStart);
  EXPECT_EQ(attempt(false), Health::Starting);
  EXPECT_EQ(course.due(), kStart + 5s);
  EXPECT_EQ(attempt(true), Health::Healthy);
  EXPECT_EQ(course.due(), now + 10s);
}

TEST_F(ProbeCourseTest, is_unhealthy_when_nothing_succeeds_within_its_time) {
  while (course.health() == Health::Starting) attempt(false);
  EXPECT_EQ(course.health(), Health::Unhealthy);
  EXPECT_EQ(passed(), 20s + 3 * 10s);
}

TEST_F(ProbeCourseTest, is_unhealthy_after_so_many_failures_in_a_row) {
  attempt(true);
  EXPECT_EQ(attempt(false), Health::Healthy);
  EXPECT_EQ(attempt(false), Health::Healthy);
  EXPECT_EQ(attempt(true), Health::Healthy);
  EXPECT_EQ(attempt(false), Health::Healthy);
  EXPECT_EQ(attempt(false), Health::Healthy);
  EXPECT_EQ(attempt(false), Health::Unhealthy);
  EXPECT_EQ(attempt(true), Health::Healthy);
}

TEST_F(ProbeCourseTest, of_a_container_that_was_found_and_has_run_for_long_begins_healthy) {
  ProbeCourse const resumed(check, kStart - 1h, true, kStart);
  EXPECT_EQ(resumed.health(), Health::Healthy);
  EXPECT_EQ(resumed.due(), kStart);
  EXPECT_EQ(ProbeCourse(check, kStart - 49s, true, kStart).health(), Health::Starting);
  EXPECT_EQ(ProbeCourse(check, kStart - 1h, false, kStart).health(), Health::Starting) << "its start was seen late, and no probe was tried";
}

TEST_F(ProbeCourseTest, probes_no_more_often_before_the_first_success_than_after_it) {
  check.interval = 2s;
  course = ProbeCourse(check, kStart, false, kStart);
  attempt(false);
  EXPECT_EQ(course.due(), kStart + 2s);
}

}  // namespace
}  // namespace davit::agent
