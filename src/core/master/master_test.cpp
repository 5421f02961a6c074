// The master's machine alone, fed event by event: what no world around it would show in this order.
#include "core/master/master.hpp"

#include <gmock/gmock.h>

namespace davit::master {
namespace {

using model::AgentHello;
using model::FactsChanged;

constexpr NodeId kNode{7};

struct MasterTest : testing::Test {
  template <class A>
  std::vector<A> step(Event const& event) {
    Actions actions;
    master.step(now, event, actions);
    std::vector<A> wanted;
    for (auto const& action : actions) {
      if (auto const* each = std::get_if<A>(&action)) wanted.push_back(*each);
    }
    return wanted;
  }
  template <class A>
  std::vector<A> tick_after(Duration duration) {
    now.monotonic += duration;
    return step<A>(Tick{});
  }

  static model::NodeFacts facts(bool engine_up, NodeId id = kNode) {
    model::NodeFacts facts{.id = id, .name = "n" + std::to_string(id.value), .roles = {model::Role::Worker}};
    facts.engine_up = engine_up;
    return facts;
  }
  void begin_session() {
    step<Load>(Started{});
    step<Follow>(Loaded{StoreBatch{.revision = 5}});
    auto const asked = tick_after<GrantLease>(100ms);
    ASSERT_EQ(asked.size(), 1u);
    step<Noted>(LeaseDone{asked.front().op, Granted{.lease = 1, .ttl = 3s}});
  }
  void join(NodeId node) {
    step<Send>(FromAgent{node, AgentHello{facts(true, node)}});
    step<Send>(FromAgent{node, model::Beat{.wall = now.wall}});
  }
  // What is noted when a beat comes whose sender's clock is off by so much.
  std::vector<std::string> beat(NodeId node, std::chrono::milliseconds off) {
    std::vector<std::string> texts;
    for (auto const& note : step<Noted>(FromAgent{node, model::Beat{.echo = now.monotonic, .wall = now.wall + off}}))
      texts.push_back(note.text);
    return texts;
  }

  Now now{.monotonic = Monotonic{} + 100s, .wall = Wall{} + 400'000h};
  Master master{{.new_cluster = {1}, .session = "s", .self = {1}, .name = "m1", .address = "10.0.0.1:4821"}};
};

// A master's id that another process holds: the store says so.
struct RivalTest : MasterTest {
  static StoreBatch store_with(std::string address) {
    model::MasterRecord const other{.id = {1}, .session = "r.1", .name = "m1", .address = std::move(address)};
    return {.revision = 5,
            .changes = {{.key = model::cluster_key(), .record = model::ClusterRecord{.uid = {9}}, .create_revision = 1, .mod_revision = 1},
                        {.key = kKey, .record = other, .create_revision = 4, .mod_revision = 4}}};
  }
  // The event and the tick after it.
  void run(Event const& event) {
    actions.clear();
    master.step(now, event, actions);
    now.monotonic += 100ms;
    master.step(now, Tick{}, actions);
  }
  template <class A>
  std::vector<A> done() const {
    std::vector<A> all;
    for (auto const& action : actions) {
      if (auto const* each = std::get_if<A>(&action)) all.push_back(*each);
    }
    return all;
  }
  // Everything is read, and a session begins.
  void begin(std::string address) {
    run(Started{});
    run(Loaded{store_with(std::move(address))});
    ASSERT_EQ(done<GrantLease>().size(), 1u);
    run(LeaseDone{done<GrantLease>().front().op, Granted{77, 3s}});
  }

  inline static std::string const kKey = model::master_key({1});
  Actions actions;
};

TEST_F(RivalTest, replaces_the_key_of_its_own_past) {
  begin("10.0.0.1:4821");
  ASSERT_EQ(done<Write>().size(), 1u);
  EXPECT_THAT(done<Write>().front().erases, testing::ElementsAre(kKey));
  EXPECT_THAT(done<Noted>(), testing::IsEmpty());
}

TEST_F(RivalTest, waits_for_another_process_with_its_id_and_says_so_once) {
  begin("10.0.0.2:4821");
  EXPECT_THAT(done<Write>(), testing::IsEmpty());
  ASSERT_EQ(done<Noted>().size(), 1u);
  EXPECT_THAT(done<Noted>().front().text, testing::HasSubstr("10.0.0.2:4821"));
  EXPECT_THAT(done<Noted>().front().text, testing::HasSubstr("--data-dir"));
  ASSERT_EQ(done<ReadRevision>().size(), 1u);
  run(RevisionRead{done<ReadRevision>().front().op, 5});
  EXPECT_THAT(done<Write>(), testing::IsEmpty());
  EXPECT_THAT(done<Noted>(), testing::IsEmpty());

  run(StoreChanged{{.revision = 6, .changes = {{.key = kKey, .record = {}, .create_revision = 0, .mod_revision = 6}}}});
  ASSERT_EQ(done<Write>().size(), 1u);
  EXPECT_EQ(std::get<model::MasterRecord>(done<Write>().front().puts.front()).session, "s.1");
}

// Copied from a store with higher revisions (davit store copy).
TEST_F(MasterTest, forgets_a_service_of_an_earlier_era_when_it_is_erased) {
  step<Load>(Started{});
  model::HeadRecord record;
  record.head.name = "web";
  record.head.uid = {1, 500};
  record.head.revisions[1] = {};
  record.head.revision = record.head.last_revision = 1;
  record.head.events = record.head.generation = 1;
  model::SpecRecord const spec{.service = "web", .revision = 1, .content = {.spec = std::make_shared<model::ServiceSpec>()}};
  StoreBatch const batch{
      .revision = 5,
      .changes = {
          {.key = model::cluster_key(), .record = model::ClusterRecord{.uid = {9}, .era = 2}, .create_revision = 2, .mod_revision = 2},
          {.key = model::spec_key("web", 1), .record = spec, .create_revision = 3, .mod_revision = 3},
          {.key = model::head_key("web"), .record = record, .create_revision = 3, .mod_revision = 3}}};
  step<Follow>(Loaded{batch});
  ASSERT_NE(master.find_service("web"), nullptr);
  step<Noted>(
      StoreChanged{{.revision = 40, .changes = {{.key = model::head_key("web"), .record = {}, .create_revision = 0, .mod_revision = 40}}}});
  EXPECT_EQ(master.find_service("web"), nullptr);
}

TEST_F(MasterTest, begins_no_cluster_where_a_copy_of_one_is_under_way) {
  step<Load>(Started{});
  model::NodeRecord const node{.id = kNode, .name = "n7"};
  step<Follow>(Loaded{
      StoreBatch{.revision = 5, .changes = {{.key = model::node_key(kNode), .record = node, .create_revision = 5, .mod_revision = 5}}}});
  auto const asked = tick_after<GrantLease>(100ms);
  ASSERT_EQ(asked.size(), 1u);
  step<Write>(LeaseDone{asked.front().op, Granted{.lease = 1, .ttl = 3s}});
  EXPECT_TRUE(tick_after<Write>(100ms).empty());
  EXPECT_TRUE(tick_after<Noted>(100ms).empty()) << "told once";
}

TEST_F(RivalTest, is_not_heard_as_a_peer_beside_it) {
  begin("10.0.0.2:4821");
  Applicant applicant{.id = {1}, .name = "m1", .cluster = {9}, .process = "r", .rival = {}};
  EXPECT_TRUE(master.admit_peer(applicant));
  applicant.process = "s";
  EXPECT_EQ(master.admit_peer(applicant).error().code, Code::Unavailable);
  applicant.id = {2};
  EXPECT_TRUE(master.admit_peer(applicant));
}

TEST_F(RivalTest, keeps_out_a_node_that_is_connected_from_elsewhere_unless_that_one_is_silent) {
  begin("10.0.0.1:4821");
  Applicant applicant{.id = kNode, .name = "n7", .cluster = {9}, .process = {}, .rival = Applicant::Rival{"n7", "10.0.0.3:555", 1s, false}};
  EXPECT_THAT(master.admit(applicant).error().message, testing::HasSubstr("a data directory belongs to one node"));
  applicant.rival->is_itself = true;
  EXPECT_EQ(master.admit(applicant).error().message, "");
  applicant.rival->silent_for = 2500ms;
  EXPECT_TRUE(master.admit(applicant));
}

TEST_F(RivalTest, keeps_out_a_second_node_of_a_name_also_before_the_first_is_recorded) {
  begin("10.0.0.1:4821");
  join(kNode);
  Applicant applicant{.id = {8}, .name = "n7", .cluster = {9}, .process = {}, .rival = {}};
  EXPECT_EQ(master.admit(applicant).error().code, Code::Exists);
  applicant.id = kNode;
  EXPECT_TRUE(master.admit(applicant));
  applicant.id = {8};
  run(AgentLeft{kNode});
  EXPECT_TRUE(master.admit(applicant));
}

TEST_F(MasterTest, keeps_what_agents_tell_before_the_store_is_read) {
  EXPECT_EQ(step<Load>(Started{}).size(), 1u);
  step<Send>(FromAgent{kNode, AgentHello{facts(false)}});
  step<Send>(FromAgent{kNode, FactsChanged{facts(true)}});
  EXPECT_EQ(step<Follow>(Loaded{StoreBatch{.revision = 5}}).size(), 1u);

  ASSERT_EQ(master.nodes().size(), 1u);
  EXPECT_TRUE(master.nodes().front().is_connected);
  EXPECT_TRUE(master.nodes().front().facts.engine_up);
}

TEST_F(MasterTest, reads_again_when_the_store_lacks_a_spec) {
  step<Load>(Started{});
  model::HeadRecord record;
  record.head.name = "web";
  record.head.revisions[3] = {};
  StoreBatch const batch{.revision = 5, .changes = {{.key = model::head_key("web"), .record = record, .mod_revision = 5}}};

  auto const notes = step<Noted>(Loaded{batch});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes.front().text, testing::HasSubstr("no spec of revision 3 of service 'web'"));
  EXPECT_EQ(master.phase(), Phase::Loading);
  EXPECT_EQ(tick_after<Load>(1s).size(), 1u);
}

TEST_F(MasterTest, says_why_it_reads_the_store_anew) {
  step<Load>(Started{});
  step<Follow>(Loaded{StoreBatch{.revision = 5}});
  auto const notes = step<Noted>(WatchEnded{"the changes were compacted away"});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes.front().text, testing::HasSubstr("compacted away"));
}

TEST_F(MasterTest, tells_once_of_a_node_whose_clock_is_off) {
  begin_session();
  join(kNode);
  join(NodeId{8});
  EXPECT_TRUE(beat(kNode, 2s).empty());
  EXPECT_THAT(beat(kNode, 1h), testing::ElementsAre(testing::HasSubstr("the clock of node n7 is 1h ahead of that of master m1")));
  EXPECT_THAT(master.nodes().front().clock_warning, testing::HasSubstr("NTP"));
  EXPECT_TRUE(beat(kNode, 1h).empty());
  EXPECT_TRUE(beat(kNode, 1h + 3s).empty());
  EXPECT_THAT(beat(kNode, -1h), testing::ElementsAre(testing::HasSubstr("the clock of node n7 is 1h behind that of master m1")));
  EXPECT_THAT(beat(kNode, 0s), testing::ElementsAre("the clock of node n7 agrees with this master's again"));
  EXPECT_EQ(master.nodes().front().clock_warning, "");
}

TEST_F(MasterTest, doubts_its_own_clock_when_those_of_most_nodes_are_off) {
  begin_session();
  for (std::uint64_t id : {7, 8, 9}) join(NodeId{id});
  EXPECT_EQ(beat(NodeId{7}, 1h).size(), 1u);
  EXPECT_TRUE(tick_after<Noted>(100ms).empty());
  EXPECT_EQ(beat(NodeId{8}, 1h).size(), 1u);
  auto const notes = tick_after<Noted>(100ms);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes.front().text, testing::HasSubstr("it is likely that of m1 that is wrong"));
  EXPECT_EQ(beat(NodeId{9}, 1h).size(), 1u);
  EXPECT_TRUE(tick_after<Noted>(100ms).empty());
}

TEST_F(MasterTest, answers_a_command_that_nobody_decides_after_ten_seconds) {
  step<Load>(Started{});
  step<Follow>(Loaded{StoreBatch{.revision = 5}});
  step<Reply>(CommandArrived{1, {.service = "web", .body = model::Remove{}}});
  for (int i = 0; i < 99; ++i) EXPECT_TRUE(tick_after<Reply>(100ms).empty());

  auto const replies = tick_after<Reply>(100ms);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().outcome.error().code, Code::Unavailable);
}

struct LeavingTest : MasterTest {
  LeavingTest() {
    step<Load>(Started{});
    auto const grants = after<GrantLease>(Loaded{StoreBatch{.revision = 5}});
    EXPECT_EQ(grants.size(), 1u);
    if (!grants.empty()) after<Write>(LeaseDone{grants[0].op, Granted{77, 3s}});
  }
  // What it does about it, which is at the next tick.
  template <class A>
  std::vector<A> after(Event const& event) {
    step<A>(event);
    return step<A>(Tick{});
  }
};

TEST_F(LeavingTest, ends_its_session_in_the_store_before_it_says_that_it_has_left) {
  auto const revocations = after<RevokeLease>(Leave{});
  ASSERT_EQ(revocations.size(), 1u);
  EXPECT_EQ(revocations[0].lease, 77);
  EXPECT_EQ(revocations[0].deadline, now.monotonic + 2s) << "a store that does not answer does not hold the stop";
  EXPECT_TRUE(tick_after<Left>(1s).empty());
  EXPECT_EQ(after<Left>(LeaseDone{revocations[0].op, Granted{77, {}}}).size(), 1u);
  EXPECT_TRUE(tick_after<Left>(1s).empty()) << "once";
}

TEST_F(LeavingTest, leaves_also_when_its_session_cannot_be_ended) {
  auto const revocations = after<RevokeLease>(Leave{});
  ASSERT_EQ(revocations.size(), 1u);
  EXPECT_EQ(after<Left>(LeaseDone{revocations[0].op, fail(Code::Deadline, "no answer")}).size(), 1u);
}

}  // namespace
}  // namespace davit::master
