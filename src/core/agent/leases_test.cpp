// The agent's machine alone, with an engine that does at once what it is asked to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

using model::ContainerState;
using model::InstanceState;
using model::Reason;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr NodeId kMaster{1};
constexpr ServiceUid kUid{1, 42};
constexpr Duration kStopAfter = 15s;
constexpr Fence kFence{{3}, {1, 7}};

class LeasesTest : public testing::Test {
 protected:
  LeasesTest() { start_agent(); }

  void start_agent() {
    Options options{.has_guard = has_guard_, .boot = "b1", .leases = file_};
    options.facts.name = "n1";
    agent_.emplace(std::move(options), durable_);
    is_saving_ = is_writing_ = false;
    step(EngineHinted{model::EngineUp{}});
    step(MasterJoined{kMaster});
    tell(model::Welcome{.cluster = {9}, .incarnation = 1, .masters = {}});
    tell(model::FenceShards{.round = 1, .fences = {kFence}});
  }

  void step(Event const& event) {
    std::deque<Event> events{event};
    for (int i = 0; !events.empty() && i < 1000; ++i) {
      Actions actions;
      agent_->step(now_, events.front(), actions);
      events.pop_front();
      for (auto const& action : actions) perform(action, events);
      if (events.empty() && agent_->wake_at() <= now_.monotonic) events.push_back(Tick{});
    }
    EXPECT_THAT(events, IsEmpty()) << "it does not come to rest";
  }
  void tell(model::ToAgent message) { step(FromMaster{kMaster, std::move(message)}); }
  void pass(Duration time) {
    for (auto const end = now_.monotonic + time; now_.monotonic < end;) {
      now_.monotonic += 100ms;
      now_.wall += 100ms;
      step(Tick{});
    }
  }
  void grant(std::uint64_t incarnation = 1) {
    tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{now_.monotonic, incarnation}});
  }
  static model::RunInstance offer(std::uint64_t token, std::uint64_t incarnation = 1, InstanceId id = {77}) {
    auto spec = std::make_shared<model::ServiceSpec>();
    spec->image = "a";
    spec->on_isolation = model::OnIsolation::Stop;
    return {.fence = kFence,
            .incarnation = incarnation,
            .id = id,
            .uid = kUid,
            .service = "web",
            .slot = 1,
            .revision = 1,
            .spec = spec,
            .digest = {},
            .token = token,
            .stop_after = kStopAfter};
  }
  static model::StopInstance stop(std::uint64_t token, InstanceId id = {77}) { return {kFence, id, kUid, 1, Reason::ScaledDown, token}; }

  template <class M>
  std::vector<M> take() {
    std::vector<M> found;
    for (auto const& message : std::exchange(said_, {})) {
      if (auto const* each = std::get_if<M>(&message)) found.push_back(*each);
    }
    return found;
  }
  std::vector<std::string> running() const {
    std::vector<std::string> ids;
    for (auto const& [id, container] : containers_) {
      if (container.state == ContainerState::Running) ids.push_back(id);
    }
    return ids;
  }
  model::InstanceReport last_report() {
    auto const reports = take<model::InstanceChanged>();
    EXPECT_FALSE(reports.empty());
    return reports.empty() ? model::InstanceReport{} : reports.back().report;
  }

  void perform(Action const& action, std::deque<Event>& events) {
    if (auto const* call = std::get_if<Call>(&action)) {
      events.push_back(CallDone{call->op, std::visit([this](auto const& what) { return on(what); }, call->what)});
    } else if (auto const* sent = std::get_if<Send>(&action)) {
      said_.push_back(sent->message);
    } else if (auto const* save = std::get_if<SaveState>(&action)) {
      being_saved_ = save->state;
      is_saving_ = true;
      if (!holds_saves_) events.push_back(saved());
    } else if (auto const* write = std::get_if<WriteLeases>(&action)) {
      being_written_ = write->all;
      is_writing_ = true;
      ++writes_;
      if (!holds_writes_) events.push_back(written());
    }
  }
  StateSaved saved() {
    is_saving_ = false;
    durable_ = being_saved_;
    return {};
  }
  LeasesWritten written() {
    is_writing_ = false;
    file_ = being_written_;
    return {};
  }

  using Reply = Result<model::EngineReply>;
  Reply on(model::InspectImage const&) { return model::ImageDetail{.id = "i", .repo_digests = {}}; }
  Reply on(model::PullImage const&) { return model::Pulled{}; }
  Reply on(model::CreateContainer const& call) {
    environment_ = call.environment;
    auto const id = "c" + std::to_string(containers_.size() + 1);
    auto& container = containers_[id];
    container.id = id;
    container.name = call.name;
    container.labels = call.labels;
    return model::Created{id, {}};
  }
  Reply on(model::StartContainer const& call) {
    EXPECT_THAT(leased_containers(), Contains(call.id)) << "started before the guard knows of it";
    containers_.at(call.id).state = ContainerState::Running;
    return model::Acknowledged{};
  }
  Reply on(model::StopContainer const& call) {
    graces_.push_back(call.grace);
    containers_.at(call.id).state = ContainerState::Exited;
    return model::Acknowledged{};
  }
  Reply on(model::KillContainer const&) { return model::Acknowledged{}; }
  Reply on(model::RemoveContainer const& call) {
    containers_.erase(call.id);
    return model::Acknowledged{};
  }
  Reply on(model::InspectContainer const& call) {
    for (auto const& [id, container] : containers_) {
      if (id == call.id_or_name || container.name == call.id_or_name) return container;
    }
    return fail(Code::NotFound, "no such container", std::string(model::engine_error::kNoSuchContainer));
  }
  Reply on(model::ListContainers const&) {
    model::ContainerList list;
    for (auto const& [id, container] : containers_) list.all.push_back({id, container.name, container.labels, container.state});
    return list;
  }
  Reply on(model::ReadStats const&) { return model::ContainerStats{}; }
  Reply on(model::ReadEngineInfo const&) { return model::EngineInfo{"27", "1.46", "linux/amd64", 4, {8LL << 30}}; }
  std::vector<std::string> leased_containers() const {
    std::vector<std::string> ids;
    for (auto const& lease : file_) ids.push_back(lease.container);
    return ids;
  }

  Now now_{.monotonic = Monotonic{} + 1000s, .wall = Wall{} + 1h};
  model::AgentState durable_{.node = {5}};
  model::AgentState being_saved_;
  std::vector<model::ContainerLease> file_;
  std::vector<model::ContainerLease> being_written_;
  std::map<std::string, model::ContainerDetail> containers_;
  std::map<std::string, std::string> environment_;
  std::vector<Duration> graces_;
  std::vector<model::ToMaster> said_;
  bool has_guard_ = true;
  bool holds_saves_ = false;
  bool holds_writes_ = false;
  bool is_saving_ = false;
  bool is_writing_ = false;
  int writes_ = 0;
  std::optional<Agent> agent_;
};

TEST_F(LeasesTest, starts_under_a_lease_only) {
  tell(offer(100));
  EXPECT_THAT(containers_, SizeIs(1));
  EXPECT_THAT(running(), IsEmpty());
  grant();
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_EQ(environment_.at("DAVIT_FENCING_TOKEN"), "100");
  EXPECT_THAT(file_, ElementsAre(model::ContainerLease{"b1", "c1", now_.monotonic + kStopAfter}));
}

TEST_F(LeasesTest, starts_only_when_the_guard_knows_of_it) {
  grant();
  holds_writes_ = true;
  tell(offer(100));
  ASSERT_TRUE(is_writing_);
  EXPECT_THAT(running(), IsEmpty());
  step(written());
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, starts_only_when_the_claim_is_durable) {
  grant();
  holds_saves_ = true;
  tell(offer(100));
  EXPECT_THAT(running(), IsEmpty());
  step(saved());
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(durable_.slots.at({kUid, 1}).token, 100);
}

TEST_F(LeasesTest, tries_again_when_the_lease_file_cannot_be_written) {
  grant();
  holds_writes_ = true;
  tell(offer(100));
  holds_writes_ = is_writing_ = false;
  step(LeasesWritten{fail(Code::Full, "no space left")});
  EXPECT_THAT(running(), IsEmpty());
  pass(2s);
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, stops_at_the_end_of_the_lease_and_starts_again_in_place) {
  grant();
  tell(offer(100));
  pass(kStopAfter - 200ms);
  EXPECT_THAT(running(), SizeIs(1));
  take<model::InstanceChanged>();
  pass(300ms);
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(graces_, ElementsAre(2s));
  auto const report = last_report();
  EXPECT_EQ(report.state, InstanceState::Failed);
  EXPECT_EQ(report.reason, Reason::LeaseEnded);
  EXPECT_EQ(report.failures, 0);

  pass(2min);
  EXPECT_THAT(running(), IsEmpty());
  grant();
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(last_report().id, InstanceId{77});
}

TEST_F(LeasesTest, runs_on_while_it_is_renewed_and_writes_the_file_seldom) {
  grant();
  tell(offer(100));
  auto const writes_before = writes_;
  for (int i = 0; i < 60; ++i) {
    pass(1s);
    grant();
  }
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_THAT(graces_, IsEmpty());
  EXPECT_GE(writes_ - writes_before, 4);
  EXPECT_LE(writes_ - writes_before, 9);
  EXPECT_GT(file_.front().end, now_.monotonic);
}

TEST_F(LeasesTest, counts_from_its_own_clock_whenever_the_grant_arrives) {
  grant();
  tell(offer(100));
  auto const then = now_.monotonic;
  pass(10s);
  tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{then + 1s, 1}});
  pass(5900ms);
  EXPECT_THAT(running(), SizeIs(1));
  pass(200ms);
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, takes_no_clock_that_it_has_not_reached) {
  tell(offer(100));
  tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{now_.monotonic + 1h, 1}});
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, is_not_covered_in_another_life_of_the_node_until_confirmed) {
  grant();
  tell(offer(100));
  for (int i = 0; i < 16; ++i) {
    pass(1s);
    grant(2);
  }
  EXPECT_THAT(running(), IsEmpty());
  tell(offer(100, 1));  // of the life before
  EXPECT_THAT(running(), IsEmpty());
  tell(offer(100, 2));
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(durable_.slots.at({kUid, 1}).incarnation, 2);

  tell(offer(100, 1));  // late
  for (int i = 0; i < 20; ++i) {
    pass(1s);
    grant(2);
  }
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, admits_nothing_without_a_guard) {
  has_guard_ = false;
  start_agent();
  tell(offer(100));
  auto const verdicts = take<model::Verdict>();
  ASSERT_THAT(verdicts, SizeIs(1));
  EXPECT_FALSE(verdicts.front().admitted);
  EXPECT_EQ(verdicts.front().reason, Reason::NoGuard);
  EXPECT_THAT(containers_, IsEmpty());
}

TEST_F(LeasesTest, says_gone_only_when_the_refusal_is_durable) {
  holds_saves_ = true;
  tell(stop(100));
  EXPECT_THAT(take<model::InstanceGone>(), IsEmpty());
  step(saved());
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
}

TEST_F(LeasesTest, says_nothing_when_the_refusal_could_not_be_saved) {
  holds_saves_ = true;
  tell(stop(100));
  step(StateSaved{fail(Code::Full, "no space left")});
  EXPECT_THAT(take<model::InstanceGone>(), IsEmpty());
}

TEST_F(LeasesTest, gives_the_slot_back_after_it_has_removed_the_instance) {
  grant();
  tell(offer(100));
  take<model::InstanceGone>();
  tell(stop(100));
  pass(3s);
  EXPECT_THAT(containers_, IsEmpty());
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
  EXPECT_THAT(file_, IsEmpty());
}

TEST_F(LeasesTest, gives_back_also_what_nobody_asked_for) {
  grant();
  tell(offer(100));
  take<model::InstanceGone>();
  step(StopServices{});
  pass(3s);
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
  EXPECT_TRUE(durable_.slots.at({kUid, 1}).is_refused);
}

TEST_F(LeasesTest, refuses_what_it_gave_back_also_after_a_restart) {
  grant();
  tell(stop(100));
  start_agent();
  grant();
  said_.clear();
  tell(offer(100));
  tell(offer(99));
  for (auto const& verdict : take<model::Verdict>()) EXPECT_FALSE(verdict.admitted);
  EXPECT_THAT(containers_, IsEmpty());
  tell(offer(101));
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, goes_on_with_a_stop_that_a_restart_has_interrupted) {
  grant();
  tell(offer(100));
  auto const before = containers_;
  tell(stop(100));
  containers_ = before;  // the process died before the engine heard of it
  said_.clear();
  start_agent();
  EXPECT_THAT(containers_, IsEmpty());
  EXPECT_THAT(take<model::FencesStored>().at(0).all, IsEmpty());
  tell(stop(100));
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
}

TEST_F(LeasesTest, forgets_old_refusals_by_refusing_all_that_is_as_old) {
  for (std::uint64_t token = 1; token <= 2000; ++token) {
    tell(model::StopInstance{kFence, {token}, {1, static_cast<std::int64_t>(token)}, 1, Reason::ScaledDown, token});
  }
  EXPECT_LE(durable_.slots.size(), 1024U);
  EXPECT_THAT(take<model::InstanceGone>(), SizeIs(2000));
  said_.clear();
  auto old = offer(1);
  old.uid = {1, 1};
  tell(old);
  EXPECT_FALSE(take<model::Verdict>().at(0).admitted);
  tell(offer(3000));
  EXPECT_TRUE(take<model::Verdict>().at(0).admitted);
}

TEST_F(LeasesTest, goes_on_after_a_restart_until_the_end_that_the_guard_knows) {
  grant();
  tell(offer(100));
  auto const end = file_.front().end;
  pass(5s);
  start_agent();
  EXPECT_THAT(running(), ElementsAre("c1"));
  pass(end - now_.monotonic - 200ms);
  EXPECT_THAT(running(), SizeIs(1));
  pass(300ms);
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, is_covered_after_a_restart_by_a_grant_for_the_life_that_it_remembers) {
  grant();
  tell(offer(100));
  start_agent();
  for (int i = 0; i < 30; ++i) {
    pass(1s);
    grant();
  }
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_THAT(graces_, IsEmpty());
}

TEST_F(LeasesTest, ends_what_it_finds_of_another_boot) {
  grant();
  tell(offer(100));
  for (auto& lease : file_) lease.boot = "b0";
  start_agent();
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, tells_the_life_that_it_remembers_when_it_connects) {
  tell(model::Welcome{.cluster = {9}, .incarnation = 4, .masters = {}});
  tell(offer(100, 4));
  agent_.emplace(Options{.has_guard = true}, durable_);
  said_.clear();
  step(MasterJoined{kMaster});
  EXPECT_EQ(take<model::AgentHello>().at(0).incarnation, 4);
}

}  // namespace
}  // namespace davit::agent
