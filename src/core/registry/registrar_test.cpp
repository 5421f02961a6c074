// What is registered, fed, repaired and taken away, and how fast, on virtual time.
#include "core/registry/registrar_harness.hpp"

#include <fmt/core.h>

namespace davit::registry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

TEST_F(RegistrarTest, registers_what_is_wanted_under_its_mark_and_feeds_it) {
  want("i1", {entry("a"), entry("b")});
  pass(60s);
  EXPECT_THAT(ids(), ElementsAre("davit-a", "davit-b"));
  EXPECT_THAT(entries_["davit-a"].meta, UnorderedElementsAre(testing::Pair("slot", "1"), testing::Pair("cluster", to_string(mark_.cluster)),
                                                             testing::Pair("node_id", to_string(mark_.node)),
                                                             testing::Pair("kind", "instance"), testing::Pair("instance", "i1")));
  EXPECT_THAT(registered_at_, SizeIs(2)) << "once each";
  EXPECT_LE(longest_hunger_, kFeedInterval + 10ms);
  EXPECT_THAT(registrar_->pending(), IsEmpty());
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(RegistrarTest, takes_away_at_once_what_is_wanted_no_more) {
  want("i1", {entry("a")});
  pass(10s);
  EXPECT_FALSE(registrar_->is_gone("i1"));
  want("i1", {});
  EXPECT_FALSE(registrar_->is_gone("i1")) << "not before the registry has said so";
  pass(latency_);
  EXPECT_THAT(ids(), IsEmpty());
  EXPECT_TRUE(registrar_->is_gone("i1"));
}

TEST_F(RegistrarTest, takes_away_what_is_being_registered_as_soon_as_that_is_done) {
  pass(1s);
  latency_ = 100ms;
  want("i1", {entry("a")});
  want("i1", {});
  pass(2 * latency_);
  EXPECT_THAT(removed_, ElementsAre("davit-a"));
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(RegistrarTest, replaces_what_has_changed) {
  want("i1", {entry("a", 20000)});
  pass(1s);
  want("i1", {entry("a", 20001)});
  pass(1s);
  EXPECT_EQ(entries_["davit-a"].port, 20001);
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(RegistrarTest, finds_an_entry_that_somebody_deleted_when_it_feeds_it) {
  want("i1", {entry("a")});
  pass(10s);
  entries_.clear();
  pass(kFeedInterval + 100ms);
  EXPECT_THAT(ids(), ElementsAre("davit-a"));
  EXPECT_THAT(notes_, Contains(HasSubstr("missing or were changed")));
}

TEST_F(RegistrarTest, puts_right_within_a_list_what_somebody_changed) {
  want("i1", {entry("a")});
  pass(10s);
  entries_["davit-a"].port = 1;
  pass(kListInterval * 5 / 4);
  EXPECT_EQ(entries_["davit-a"].port, 20000);
}

TEST_F(RegistrarTest, takes_away_what_an_earlier_process_left_once_all_is_known) {
  want("i1", {entry("a")});
  want("i2", {entry("b")});
  pass(1s);
  start();
  pass(60s);
  EXPECT_THAT(ids(), ElementsAre("davit-a", "davit-b")) << "not before";
  want("i1", {entry("a")});
  step(AllKnown{});
  pass(1s);
  EXPECT_THAT(ids(), ElementsAre("davit-a"));
  EXPECT_THAT(registered_at_, SizeIs(2)) << "what stands as it should is not written again";
}

TEST_F(RegistrarTest, keeps_and_feeds_what_stands_of_a_holder_that_it_knows_little_of) {
  want("i1", {entry("a")});
  pass(1s);
  start();
  step(Kept{"i1"});
  step(AllKnown{});
  longest_hunger_ = {};
  pass(60s);
  EXPECT_THAT(ids(), ElementsAre("davit-a"));
  EXPECT_LE(longest_hunger_, kFeedInterval + 2s);
  want("i1", {entry("a", 20001)});
  pass(1s);
  EXPECT_EQ(entries_["davit-a"].port, 20001);
  step(Kept{"i1"});
  want("i1", {});
  pass(1s);
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(RegistrarTest, leaves_alone_what_does_not_carry_its_mark) {
  auto foreign = entry("foreign");
  foreign.meta = {{"cluster", to_string(mark_.cluster)}, {"node_id", "another"}, {"kind", "instance"}};
  auto master = entry("master");
  master.meta = {{"cluster", to_string(mark_.cluster)}, {"node_id", to_string(mark_.node)}, {"kind", "master"}};
  auto copied = entry("x");
  copied.id = "copied-by-hand";
  copied.meta = {{"cluster", to_string(mark_.cluster)}, {"node_id", to_string(mark_.node)}, {"kind", "instance"}};
  for (auto const& each : {foreign, master, copied}) entries_[each.id] = each;
  step(AllKnown{});
  pass(60s);
  EXPECT_EQ(entries_.size(), 3U);
  EXPECT_THAT(removed_, IsEmpty());
}

TEST_F(RegistrarTest, says_once_that_the_registry_is_away_and_repairs_all_of_it_afterwards) {
  want("i1", {entry("a")});
  want("i2", {entry("b")});
  pass(10s);
  is_there_ = false;
  entries_.clear();
  calls_ = 0;
  pass(8min);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("does not answer")));
  EXPECT_LT(calls_, 60) << "it is asked again after growing pauses";
  EXPECT_TRUE(registrar_->is_gone("i1")) << "nobody can tell";
  want("i2", {});
  is_there_ = true;
  pass(13s);
  EXPECT_THAT(ids(), ElementsAre("davit-a"));
  EXPECT_THAT(notes_, Contains("Consul answers again"));
  EXPECT_THAT(registrar_->pending(), IsEmpty());
}

TEST_F(RegistrarTest, keeps_nothing_of_those_who_come_and_go_while_the_registry_is_away) {
  step(AllKnown{});
  want("a", {entry("a")});
  pass(1s);
  is_there_ = false;
  for (int i = 0; i < 100; ++i) {
    auto const holder = "b" + std::to_string(i);
    want(holder, {entry(holder)});
    pass(1s);
    want(holder, {});
  }
  want("a", {});
  EXPECT_EQ(registrar_->size(), 0);
  is_there_ = true;
  pass(20s);
  EXPECT_THAT(ids(), IsEmpty()) << "what stood from before is taken out";
}

TEST_F(RegistrarTest, is_back_soon_after_a_short_absence) {
  want("i1", {entry("a")});
  pass(10s);
  is_there_ = false;
  entries_.clear();
  pass(3s);
  is_there_ = true;
  pass(4s);
  EXPECT_THAT(ids(), ElementsAre("davit-a"));
}

TEST_F(RegistrarTest, bears_a_refusal_of_one_without_harm_to_the_others) {
  want("i1", {entry("a")});
  pass(1s);
  refuses_ = true;
  want("i2", {entry("b")});
  calls_ = 0;
  pass(10min);
  EXPECT_THAT(notes_, Contains(HasSubstr("web: Consul refuses it: Permission denied")));
  EXPECT_THAT(notes_, SizeIs(testing::Le(11)));
  EXPECT_LE(longest_hunger_, kFeedInterval + 10ms);
  refuses_ = false;
  pass(60s);
  EXPECT_THAT(ids(), ElementsAre("davit-a", "davit-b"));
}

TEST_F(RegistrarTest, bears_one_that_consul_cannot_handle_without_harm_to_the_others) {
  want("i1", {entry("a")});
  want("i2", {entry("b")});
  pass(10s);
  broken_ = {"davit-b", "davit-c"};
  want("i3", {entry("c")});
  calls_ = 0;
  pass(10min);
  EXPECT_THAT(notes_, Contains(HasSubstr("web: Consul at x answers with 500: broken")));
  EXPECT_THAT(notes_, SizeIs(testing::Le(11)));
  EXPECT_LT(calls_, 350) << "two that are fed, one that is tried less and less often, and the list";
  EXPECT_LE(longest_hunger_, kFeedInterval + 10ms) << "of the other one";
  broken_.clear();
  pass(61s);
  EXPECT_THAT(ids(), ElementsAre("davit-a", "davit-b", "davit-c"));
}

TEST_F(RegistrarTest, lets_nothing_die_of_a_short_trouble) {
  want("i1", {entry("a")});
  pass(10s);
  longest_hunger_ = {};
  broken_ = {"davit-a"};
  pass(8s);
  broken_.clear();
  pass(2s);
  EXPECT_LT(longest_hunger_, 9500ms);
}

TEST_F(RegistrarTest, goes_on_with_a_removal_that_failed) {
  want("i1", {entry("a")});
  pass(10s);
  broken_ = {"davit-a"};
  want("i1", {});
  pass(10s);
  EXPECT_FALSE(registrar_->is_gone("i1"));
  broken_.clear();
  pass(10s);
  EXPECT_TRUE(registrar_->is_gone("i1"));
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(RegistrarTest, does_not_work_itself_up_over_a_registry_that_never_shows_what_it_took) {
  is_liar_ = true;
  want("i1", {entry("a")});
  pass(10min);
  EXPECT_LE(registered_at_.size(), 600s / kListInterval + 1);
  EXPECT_THAT(notes_, SizeIs(testing::Le(10)));
}

TEST_F(RegistrarTest, feeds_in_time_though_each_answer_takes_a_second) {
  latency_ = 1s;
  want("i1", {entry("a"), entry("b"), entry("c")});
  pass(2min);
  EXPECT_LT(longest_hunger_, 9s);
}

TEST_F(RegistrarTest, asks_less_at_once_where_that_is_too_much_for_it) {
  bears_at_once_ = 2;
  latency_ = 20ms;
  for (int i = 0; i < 100; ++i) want(fmt::format("i{}", i), {entry(fmt::format("{}", i))});
  pass(60s);
  EXPECT_EQ(entries_.size(), 100U);
  most_under_way_ = 0;
  longest_hunger_ = {};
  pass(60s);
  EXPECT_LE(most_under_way_, 7U) << "now and then it tries more";
  EXPECT_LT(longest_hunger_, 10s);
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(RegistrarTest, takes_one_that_never_answers_for_away) {
  want("i1", {entry("a")});
  pass(10s);
  bears_at_once_ = 0;
  pass(30s);
  EXPECT_THAT(notes_, ElementsAre(HasSubstr("does not answer in time")));
  EXPECT_TRUE(registrar_->is_gone("i1"));
  bears_at_once_ = 1000;
  pass(30s);
  EXPECT_THAT(registrar_->pending(), IsEmpty());
  EXPECT_THAT(notes_, testing::Contains("Consul answers again"));
}

TEST_F(RegistrarTest, registers_ten_thousand_at_a_bounded_rate_once_the_registry_is_back_without_them) {
  constexpr int kCount = 10'000;
  is_there_ = false;
  for (int i = 0; i < kCount; ++i) want(fmt::format("i{}", i), {entry(fmt::format("{:05}", i))});
  pass(5s);
  is_there_ = true;
  pass(kCount * kRegisterInterval + 10s);
  EXPECT_EQ(entries_.size(), std::size_t{kCount});
  EXPECT_EQ(registered_at_.size(), std::size_t{kCount}) << "once each";
  EXPECT_LE(most_under_way_, 9U) << "and the list";
  for (std::size_t i = 100; i < registered_at_.size(); ++i) {
    ASSERT_GE(registered_at_[i] - registered_at_[i - 100], (99 - kRegisterBurst) * kRegisterInterval) << "registration " << i;
  }
  longest_hunger_ = {};
  pass(20s);
  EXPECT_LT(longest_hunger_, 10s) << "all of them are fed in time";
  EXPECT_THAT(registrar_->pending(), IsEmpty());
}

// Fifty agents of two hundred each, which lose their registry at once: not all come back at the same moment.
TEST_F(RegistrarTest, comes_back_at_a_time_of_its_own) {
  std::set<Monotonic> times;
  for (std::uint64_t node = 1; node <= 50; ++node) {
    mark_.node = {node};
    start();
    is_there_ = false;
    now_.monotonic = Monotonic{} + 1000s;
    pass(10s);
    times.insert(registrar_->wake_at());
  }
  EXPECT_GT(times.size(), 45U);
  EXPECT_GT(*times.rbegin() - *times.begin(), 1s);
}

}  // namespace
}  // namespace davit::registry
