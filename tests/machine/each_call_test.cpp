// Every port call fails once, in each way it can, in the middle of an ordinary life.
#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using service::State;
using testing::SizeIs;

// Creates, pulls, updates, scales, heals, restarts the process and removes. What a user asks is asked again when it failed.
class OrdinaryLife {
 public:
  World world;

  void run() {
    world.start_process();
    ask({.service = "web", .body = service::Create{shared(with_port(spec_of("slow:1", 2)))}});
    ask({.service = "old", .body = service::Create{shared(spec_of("well", 2))}});
    settle("created");
    ask({.service = "web", .body = service::Replace{shared(with_port(spec_of("known:2", 2)))}});
    settle("updated");
    ask({.service = "web", .body = service::Replace{shared(with_port(spec_of("known:2", 3)))}});
    if (auto const names = world.docker.running(); !names.empty()) world.docker.kill(names.front(), 137);
    world.loop.advance(40s);
    settle("scaled and healed");
    world.kill_process();
    world.start_process();
    ask({.service = "old", .body = service::Remove{}});
    settle("restarted and removed");
    check();
  }

 private:
  static model::SpecRef shared(model::ServiceSpec spec) { return std::make_shared<model::ServiceSpec const>(std::move(spec)); }

  void ask(service::Command const& command) {
    for (int tries = 0; tries < 5; ++tries) {
      if (world.command(command)) return;
      world.loop.advance(1s);
    }
    ADD_FAILURE() << "never accepted: " << (world.notes().empty() ? "" : world.notes().back());
  }
  void settle(char const* when) { EXPECT_TRUE(world.settle(3min)) << when << world.pending() << "\n" << world.status("web").message; }
  void check() {
    world.loop.advance(1min);  // a list of what is there
    settle("at the end");
    EXPECT_EQ(world.status("web").state, State::Running);
    EXPECT_EQ(world.status("web").ready, 3);
    EXPECT_EQ(world.master().find_service("old"), nullptr);
    EXPECT_THAT(world.docker.running(), SizeIs(3));
    EXPECT_LE(world.docker.containers().size(), 6U) << "each slot's last container may be kept";
    EXPECT_EQ(world.master().nodes().at(0).instances, 3);
    EXPECT_EQ(keys(world, "nodes/"), 1U);
  }
};

std::uint64_t calls_of_a_life() {
  static std::uint64_t const calls = [] {
    OrdinaryLife life;
    life.run();
    return life.world.docker.calls();
  }();
  return calls;
}
std::uint64_t commits_of_a_life() {
  static std::uint64_t const commits = [] {
    OrdinaryLife life;
    life.run();
    return life.world.commits();
  }();
  return commits;
}

struct EngineFault {
  char const* name;
  FakeDocker::Fault fault;
};
void PrintTo(EngineFault const& each, std::ostream* out) { *out << each.name; }
class EachEngineCall : public testing::TestWithParam<EngineFault> {};

TEST_P(EachEngineCall, may_fail_once) {
  auto const calls = calls_of_a_life();
  ASSERT_GT(calls, 50U);
  for (std::uint64_t k = 1; k <= calls; ++k) {
    OrdinaryLife life;
    std::size_t kind = 99;
    life.world.docker.on_call = [&, k](std::uint64_t number, model::EngineCall const& call) -> std::optional<FakeDocker::Fault> {
      if (number != k) return std::nullopt;
      kind = call.index();
      return GetParam().fault;
    };
    auto const failures = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    life.run();
    bool const has_failed = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failures;
    if (has_failed) ADD_FAILURE() << "^ call " << k << " of " << calls << ", of the " << kind << ". kind of EngineCall";
  }
}
INSTANTIATE_TEST_SUITE_P(Ways, EachEngineCall,
                         testing::Values(EngineFault{"away", {away(), false}}, EngineFault{"late", {no_answer_in_time(), false}},
                                         EngineFault{"lost", {unknown(), false}}, EngineFault{"answer_lost", {unknown(), true}}),
                         [](auto const& each) { return std::string(each.param.name); });

struct CommitFault {
  char const* name;
  World::StoreFault fault;
};
void PrintTo(CommitFault const& each, std::ostream* out) { *out << each.name; }
class EachCommit : public testing::TestWithParam<CommitFault> {};

TEST_P(EachCommit, may_fail_once) {
  auto const commits = commits_of_a_life();
  ASSERT_GT(commits, 8U);
  for (std::uint64_t k = 1; k <= commits; ++k) {
    OrdinaryLife life;
    life.world.on_commit = [k](std::uint64_t number) { return number == k ? std::optional(GetParam().fault) : std::nullopt; };
    auto const failures = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    life.run();
    bool const has_failed = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failures;
    if (has_failed) ADD_FAILURE() << "^ commit " << k << " of " << commits;
  }
}
INSTANTIATE_TEST_SUITE_P(Ways, EachCommit,
                         testing::Values(CommitFault{"full", {Code::Full, false}}, CommitFault{"unavailable", {Code::Unavailable, false}},
                                         CommitFault{"late", {Code::Deadline, false}}, CommitFault{"lost", {Code::UnknownOutcome, false}},
                                         CommitFault{"answer_lost", {Code::UnknownOutcome, true}}),
                         [](auto const& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace davit::sim
