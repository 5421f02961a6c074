#include "sim/virtual_loop.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace davit::sim {
namespace {

using testing::ElementsAre;

TEST(VirtualLoop, runs_posts_in_order_and_never_inside_post) {
  VirtualLoop loop;
  std::vector<std::string> trace;
  loop.post([&] {
    loop.post([&] { trace.push_back("inner"); });
    trace.push_back("first");
  });
  loop.post([&] { trace.push_back("second"); });
  EXPECT_TRUE(trace.empty());
  loop.run_until_idle();
  EXPECT_THAT(trace, ElementsAre("first", "second", "inner"));
}

TEST(VirtualLoop, fires_timers_by_time_then_by_order_of_setting) {
  VirtualLoop loop;
  std::vector<int> trace;
  auto const start = loop.now();
  std::vector<std::unique_ptr<ports::Timer>> timers;
  for (auto const& [name, delay] : {std::pair{3, 30ms}, std::pair{1, 10ms}, std::pair{2, 10ms}}) {
    timers.push_back(loop.make_timer());
    timers.back()->set(start.monotonic + delay, [&trace, n = name] { trace.push_back(n); });
  }
  loop.advance(20ms);
  EXPECT_THAT(trace, ElementsAre(1, 2));
  loop.advance(20ms);
  EXPECT_THAT(trace, ElementsAre(1, 2, 3));
  EXPECT_EQ(loop.now().monotonic - start.monotonic, 40ms);
  EXPECT_EQ(loop.now().wall - start.wall, 40ms);
}

TEST(VirtualLoop, shows_each_timer_its_own_time_and_lets_it_set_itself_again) {
  VirtualLoop loop;
  auto const start = loop.now().monotonic;
  std::vector<Duration> fired;
  auto timer = loop.make_timer();
  std::function<void()> tick = [&] {
    fired.push_back(loop.now().monotonic - start);
    timer->set(loop.now().monotonic + 10ms, tick);
  };
  timer->set(start + 10ms, tick);
  loop.advance(35ms);
  EXPECT_THAT(fired, ElementsAre(10ms, 20ms, 30ms));
}

TEST(VirtualLoop, forgets_timers_that_are_cancelled_set_anew_or_destroyed) {
  VirtualLoop loop;
  std::vector<std::string> trace;
  auto cancelled = loop.make_timer();
  auto replaced = loop.make_timer();
  auto destroyed = loop.make_timer();
  auto const at = loop.now().monotonic + 1ms;
  cancelled->set(at, [&] { trace.push_back("cancelled"); });
  replaced->set(at, [&] { trace.push_back("old"); });
  destroyed->set(at, [&] { trace.push_back("destroyed"); });
  cancelled->cancel();
  replaced->set(at + 1ms, [&] { trace.push_back("new"); });
  destroyed.reset();
  loop.advance(5ms);
  EXPECT_THAT(trace, ElementsAre("new"));
  EXPECT_EQ(loop.next_timer(), kNever);
}

TEST(VirtualLoop, lets_a_timer_destroy_itself) {
  VirtualLoop loop;
  int fired = 0;
  auto timer = loop.make_timer();
  timer->set(loop.now().monotonic, [&] {
    timer.reset();
    ++fired;
  });
  loop.run_until_idle();
  EXPECT_EQ(fired, 1);
}

TEST(VirtualLoop, waits_for_a_condition_at_most_as_long_as_allowed) {
  VirtualLoop loop;
  bool happened = false;
  auto timer = loop.make_timer();
  timer->set(loop.now().monotonic + 10s, [&] { happened = true; });
  EXPECT_FALSE(loop.run_until([&] { return happened; }, 9s));
  EXPECT_TRUE(loop.run_until([&] { return happened; }, 20s));
}

}  // namespace
}  // namespace davit::sim
