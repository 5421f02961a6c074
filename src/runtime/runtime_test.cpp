#include <csignal>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/asio_loop.hpp"
#include "runtime/deadline.hpp"
#include "runtime/gate.hpp"
#include "runtime/wakeup.hpp"

namespace davit::runtime {
namespace {

namespace asio = boost::asio;

struct RuntimeTest : testing::Test {
  AsioLoop loop;
  Gate gate{loop};

  bool eventually(std::function<bool()> const& condition) { return loop.run_until(condition, 5s); }
  Monotonic in(Duration wait) { return loop.now().monotonic + wait; }
  void TearDown() override {
    bool closed = false;
    gate.close([&] { closed = true; });
    EXPECT_TRUE(eventually([&] { return closed; }));
  }
};

// Sets the flag when its coroutine ends, in whichever way.
struct Ending {
  bool& ended;
  ~Ending() { ended = true; }
};

asio::awaitable<void> wait_for_ever(AsioLoop* loop, bool* started, bool* ended) {
  Ending const ending{*ended};
  Wakeup never(*loop);
  *started = true;
  co_await never.async_wait();
}

asio::awaitable<void> set_flag(bool* flag) {
  *flag = true;
  co_return;
}

asio::awaitable<void> throw_error() {
  throw std::runtime_error("as the test wants");
  co_return;
}

TEST_F(RuntimeTest, posts_run_in_order_and_never_inside_post) {
  std::vector<int> ran;
  loop.post([&] {
    loop.post([&] { ran.push_back(3); });
    ran.push_back(1);
  });
  loop.post([&] { ran.push_back(2); });
  EXPECT_TRUE(ran.empty());
  ASSERT_TRUE(eventually([&] { return ran.size() == 3; }));
  EXPECT_EQ(ran, (std::vector{1, 2, 3}));
}

TEST_F(RuntimeTest, posts_from_another_thread_wake_the_loop) {
  bool ran = false;
  std::jthread const other([&] { loop.post([&] { ran = true; }); });
  EXPECT_TRUE(eventually([&] { return ran; }));
}

TEST_F(RuntimeTest, run_returns_after_a_stop_from_before_or_within) {
  loop.stop();
  loop.run();
  loop.post([&] { loop.stop(); });
  loop.run();
  bool ran = false;
  loop.post([&] { ran = true; });
  EXPECT_TRUE(eventually([&] { return ran; }));
}

TEST_F(RuntimeTest, timers_fire_in_order_of_time) {
  std::string fired;
  auto late = loop.make_timer();
  auto early = loop.make_timer();
  late->set(in(20ms), [&] { fired += "late"; });
  early->set(in(1ms), [&] { fired += "early "; });
  ASSERT_TRUE(eventually([&] { return fired.ends_with("late"); }));
  EXPECT_EQ(fired, "early late");
}

TEST_F(RuntimeTest, a_timer_that_was_set_again_or_cancelled_or_destroyed_does_not_fire_for_the_old_setting) {
  int old = 0;
  bool done = false;
  auto again = loop.make_timer();
  auto cancelled = loop.make_timer();
  auto destroyed = loop.make_timer();
  Monotonic const past = loop.now().monotonic;  // due at once: the wait has completed when it is set again
  again->set(past, [&] { ++old; });
  cancelled->set(past, [&] { ++old; });
  destroyed->set(past, [&] { ++old; });
  loop.post([&] {
    again->set(in(5ms), [&] { done = true; });
    cancelled->set(kNever, [&] { ++old; });
    destroyed.reset();
  });
  ASSERT_TRUE(eventually([&] { return done; }));
  EXPECT_EQ(old, 0);
}

TEST_F(RuntimeTest, a_signal_is_handled_on_the_loop) {
  int caught = 0;
  loop.on_signals({SIGUSR1}, [&](int signal) { caught = signal; });
  loop.post([] { ::raise(SIGUSR1); });
  ASSERT_TRUE(eventually([&] { return caught == SIGUSR1; }));
  caught = 0;
  loop.post([] { ::raise(SIGUSR1); });
  EXPECT_TRUE(eventually([&] { return caught == SIGUSR1; }));
}

TEST_F(RuntimeTest, closing_a_gate_cancels_and_waits) {
  bool started = false;
  bool ended = false;
  bool closed = false;
  spawn(gate, "sleeper", wait_for_ever(&loop, &started, &ended));
  EXPECT_EQ(gate.pending(), std::vector<std::string>{"sleeper"});
  ASSERT_TRUE(eventually([&] { return started; }));
  gate.close([&] { closed = true; });
  EXPECT_FALSE(closed);
  ASSERT_TRUE(eventually([&] { return closed; }));
  EXPECT_TRUE(ended);
  EXPECT_EQ(gate.count(), 0U);
}

TEST_F(RuntimeTest, a_gate_closed_before_the_start_runs_nothing) {
  bool started = false;
  bool late = false;
  spawn(gate, "early", set_flag(&started));
  gate.close();
  spawn(gate, "late", set_flag(&late));
  ASSERT_TRUE(eventually([&] { return gate.count() == 0; }));
  EXPECT_FALSE(started);
  EXPECT_FALSE(late);
}

TEST_F(RuntimeTest, an_exception_ends_its_own_coroutine_only) {
  bool ran = false;
  spawn(gate, "thrower", throw_error());
  spawn(gate, "other", set_flag(&ran));
  ASSERT_TRUE(eventually([&] { return gate.count() == 0; }));
  EXPECT_TRUE(ran);
}

asio::awaitable<void> close_gate(Gate* gate, bool* closed) {
  co_await gate->async_closed();
  *closed = true;
}

TEST_F(RuntimeTest, a_gate_can_be_closed_by_a_coroutine_of_another) {
  Gate inner(loop);
  bool started = false;
  bool ended = false;
  bool closed = false;
  spawn(inner, "sleeper", wait_for_ever(&loop, &started, &ended));
  ASSERT_TRUE(eventually([&] { return started; }));
  spawn(gate, "closer", close_gate(&inner, &closed));
  ASSERT_TRUE(eventually([&] { return closed; }));
  EXPECT_TRUE(ended);
}

asio::awaitable<Result<int>> answer_after(AsioLoop* loop, Monotonic at, bool* ended) {
  Ending const ending{*ended};
  co_await async_sleep_until(*loop, at);
  co_await async_sleep_until(*loop, at);  // a cancelled coroutine throws here
  co_return 42;
}

asio::awaitable<void> keep_answer(AsioLoop* loop, Monotonic deadline, Monotonic at, bool* ended, std::optional<Result<int>>* answer) {
  *answer = co_await async_with_deadline<int>(*loop, deadline, "the answer", answer_after(loop, at, ended));
}

TEST_F(RuntimeTest, a_deadline_ends_what_is_late) {
  bool ended = false;
  std::optional<Result<int>> answer;
  spawn(gate, "late", keep_answer(&loop, in(5ms), kNever, &ended, &answer));
  ASSERT_TRUE(eventually([&] { return answer.has_value(); }));
  EXPECT_TRUE(ended);
  EXPECT_EQ(answer->error().code, Code::Deadline);
  EXPECT_EQ(answer->error().message, "no answer in time: the answer");
}

TEST_F(RuntimeTest, a_deadline_leaves_alone_what_is_in_time) {
  bool ended = false;
  std::optional<Result<int>> answer;
  spawn(gate, "in time", keep_answer(&loop, in(5s), in(1ms), &ended, &answer));
  ASSERT_TRUE(eventually([&] { return answer.has_value(); }));
  EXPECT_EQ(**answer, 42);
}

TEST_F(RuntimeTest, closing_a_gate_reaches_through_a_deadline) {
  bool ended = false;
  std::optional<Result<int>> answer;
  spawn(gate, "nested", keep_answer(&loop, kNever, kNever, &ended, &answer));
  loop.post([&] { loop.post([&] { gate.close(); }); });
  ASSERT_TRUE(eventually([&] { return gate.is_closed() && gate.count() == 0; }));
  EXPECT_TRUE(ended);
  EXPECT_FALSE(answer.has_value());
}

asio::awaitable<void> call_back(AsioLoop* loop, std::function<void(int)>* done, int* got) {
  *got = co_await async_call<int>(*loop, [done](std::function<void(int)> given) { *done = std::move(given); });
}

TEST_F(RuntimeTest, a_callback_is_awaited) {
  std::function<void(int)> done;
  int got = 0;
  spawn(gate, "caller", call_back(&loop, &done, &got));
  ASSERT_TRUE(eventually([&] { return done != nullptr; }));
  done(7);
  EXPECT_TRUE(eventually([&] { return got == 7; }));
}

TEST_F(RuntimeTest, a_callback_after_the_callers_end_is_ignored) {
  std::function<void(int)> done;
  int got = 0;
  spawn(gate, "caller", call_back(&loop, &done, &got));
  ASSERT_TRUE(eventually([&] { return done != nullptr; }));
  gate.close();
  ASSERT_TRUE(eventually([&] { return gate.count() == 0; }));
  done(7);
  EXPECT_EQ(got, 0);
}

asio::awaitable<void> wait_twice(Wakeup* wakeup, Monotonic deadline, std::vector<bool>* results) {
  results->push_back(co_await wakeup->async_wait_until(deadline));
  results->push_back(co_await wakeup->async_wait_until(deadline));
}

TEST_F(RuntimeTest, a_notification_before_the_wait_is_kept_once) {
  Wakeup wakeup(loop);
  std::vector<bool> results;
  wakeup.notify();
  wakeup.notify();
  spawn(gate, "waiter", wait_twice(&wakeup, in(5ms), &results));
  ASSERT_TRUE(eventually([&] { return results.size() == 2; }));
  EXPECT_EQ(results, (std::vector{true, false}));
}

}  // namespace
}  // namespace davit::runtime
