// Both ends of each link in one process, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/core.h>

#include "adapters/link_grpc/cluster_query.hpp"
#include "adapters/link_grpc/listener.hpp"
#include "adapters/link_grpc/master_link.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::link_grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr NodeId kMaster{100};
constexpr NodeId kPeer{101};
constexpr NodeId kAgent{7};
constexpr ClusterId kCluster{55};

// Prints three lines at once and more when it is asked to.
class FakeLogs final : public ports::Engine {
 public:
  struct Reader final : ports::LogReader {
    explicit Reader(FakeLogs& logs) : logs(logs) { logs.reader = this; }
    Reader(Reader const&) = delete;
    Reader& operator=(Reader const&) = delete;
    ~Reader() override { logs.reader = nullptr; }
    void pause() override { ++logs.pauses; }
    void resume() override { ++logs.resumes; }
    FakeLogs& logs;
    std::function<void(ports::LogLine)> on_line;
    std::function<void(Status)> on_end;
  };

  void call(model::EngineCall, Monotonic, ports::Done<model::EngineReply>) override {}
  void watch(std::function<void(model::EngineHint)>) override {}
  std::unique_ptr<ports::LogReader> read_logs(ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                              std::function<void(Status)> on_end) override {
    asked.push_back(query.container);
    auto made = std::make_unique<Reader>(*this);
    made->on_line = std::move(on_line);
    made->on_end = std::move(on_end);
    return made;
  }
  void stop() override {}

  Reader* reader = nullptr;
  std::vector<std::string> asked;
  int pauses = 0;
  int resumes = 0;
};

struct Master {
  Master(runtime::AsioLoop& loop, NodeId id, std::string address = "127.0.0.1:0")
      : accepted{id, kCluster, fmt::format("m{}", id.value)},
        agents(
            loop, [this] { return accepted; }, [this](std::string text) { refused.push_back(std::move(text)); }),
        peers(loop, {.self = id,
                     .tls = {},
                     .caller = [this] { return Caller{accepted.master, accepted.name, kCluster, "p", {}}; },
                     .accepted = [this] { return accepted; },
                     .on_refused = [this](std::string text) { refused.push_back(std::move(text)); }}) {
    agents.receive({[this](NodeId node) { log.push_back(fmt::format("joined {}", node.value)); },
                    [this](NodeId, model::ToMaster message) { heard.push_back(std::move(message)); },
                    [this](NodeId node) { log.push_back(fmt::format("left {}", node.value)); },
                    [this](NodeId node) { log.push_back(fmt::format("dropped {}", node.value)); }});
    peers.receive({[this](NodeId node) { log.push_back(fmt::format("peer {}", node.value)); },
                   [this](NodeId, model::PeerMessage message) { said.push_back(std::move(message)); },
                   [this](NodeId node) { log.push_back(fmt::format("no peer {}", node.value)); },
                   [this](NodeId node) { log.push_back(fmt::format("dropped {}", node.value)); }});
    auto made = Listener::listen(loop, agents, peers,
                                 {.address = std::move(address),
                                  .tls = {},
                                  .admit_agent = [](Caller const& caller, auto const& present) -> Status {
                                    if (present && present->caller.process == caller.process) return fail(Code::Exists, {});
                                    if (present) return fail(Code::Exists, "it is here: " + present->caller.name);
                                    if (!caller.cluster || caller.cluster == kCluster) return {};
                                    return fail(Code::Invalid, "another cluster");
                                  },
                                  .admit_peer = [](Caller const&) -> Status { return {}; },
                                  .on_refused = [this](std::string text) { refused.push_back(std::move(text)); }});
    EXPECT_TRUE(made) << made.error().message;
    listener = *std::move(made);
  }
  Master(Master const&) = delete;
  Master& operator=(Master const&) = delete;

  std::string address() const { return fmt::format("127.0.0.1:{}", listener->port()); }

  std::vector<std::string> log;
  std::vector<std::string> refused;
  std::vector<model::ToMaster> heard;
  std::vector<model::PeerMessage> said;
  Accepted accepted;
  AgentLink agents;
  PeerLink peers;
  std::unique_ptr<Listener> listener;
};

struct Agent {
  Agent(runtime::AsioLoop& loop, std::vector<std::string> join, Caller caller = {kAgent, "n1", {}, "a", {}})
      : link(loop, logs,
             {.join = std::move(join),
              .remembered = {},
              .on_told = {},
              .tls = {},
              .caller = [caller] { return caller; },
              .on_refused = [this](std::string text) { refused.push_back(std::move(text)); }}) {
    link.receive({[this](NodeId node) { log.push_back(fmt::format("joined {}", node.value)); },
                  [this](NodeId, model::ToAgent message) { heard.push_back(std::move(message)); },
                  [this](NodeId node) { log.push_back(fmt::format("left {}", node.value)); }});
    link.start();
  }
  Agent(Agent const&) = delete;
  Agent& operator=(Agent const&) = delete;

  FakeLogs logs;
  std::vector<std::string> log;
  std::vector<std::string> refused;
  std::vector<model::ToAgent> heard;
  MasterLink link;
};

class LinkTest : public testing::Test {
 protected:
  bool until(std::function<bool()> const& condition) { return loop_.run_until(condition, 20s); }
  void pass(Duration time) {
    static_cast<void>(loop_.run_until([] { return false; }, time));
  }
  static model::ToMaster gone(std::uint64_t id) { return model::InstanceGone{.id = {id}, .uid = {1, 1}, .slot = 1, .token = 0}; }
  static model::ToAgent fence(std::uint64_t round) { return model::FenceShards{.round = round, .fences = {}, .asker = kMaster}; }

  runtime::AsioLoop loop_;
};

TEST_F(LinkTest, carries_messages_in_order_both_ways) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return !master.log.empty() && !agent.log.empty(); }));
  EXPECT_THAT(master.log, ElementsAre("joined 7"));
  EXPECT_THAT(agent.log, ElementsAre("joined 100"));
  for (std::uint64_t i = 0; i < 1'000; ++i) agent.link.send(kMaster, gone(i)), master.agents.send(kAgent, fence(i), kNever);
  ASSERT_TRUE(until([&] { return master.heard.size() == 1'000 && agent.heard.size() == 1'000; }));
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    EXPECT_EQ(master.heard[i], gone(i));
    EXPECT_EQ(agent.heard[i], fence(i));
  }
}

TEST_F(LinkTest, drops_what_has_run_out_before_it_could_be_written_and_says_so) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return !master.log.empty() && !agent.log.empty(); }));
  master.agents.send(kAgent, fence(1), loop_.now().monotonic);
  master.agents.send(kAgent, fence(2), loop_.now().monotonic + 1min);
  ASSERT_TRUE(until([&] { return !agent.heard.empty(); }));
  EXPECT_THAT(agent.heard, ElementsAre(fence(2)));
  ASSERT_TRUE(until([&] { return master.log.size() == 2; }));
  EXPECT_THAT(master.log, ElementsAre("joined 7", "dropped 7"));
  master.agents.send({8}, fence(3), kNever);  // nobody
}

TEST_F(LinkTest, connects_again_when_a_master_comes_back) {
  auto master = std::make_unique<Master>(loop_, kMaster);
  auto const address = master->address();
  Agent agent(loop_, {address});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1; }));
  master.reset();
  ASSERT_TRUE(until([&] { return agent.log.size() == 2; }));
  pass(500ms);
  master = std::make_unique<Master>(loop_, kMaster, address);
  ASSERT_TRUE(until([&] { return agent.log.size() == 3; }));
  EXPECT_THAT(agent.log, ElementsAre("joined 100", "left 100", "joined 100"));
  EXPECT_THAT(agent.refused, IsEmpty());
}

TEST_F(LinkTest, notices_an_agent_that_goes) {
  Master master(loop_, kMaster);
  {
    Agent agent(loop_, {master.address()});
    ASSERT_TRUE(until([&] { return master.log.size() == 1; }));
  }
  ASSERT_TRUE(until([&] { return master.log.size() == 2; }));
  EXPECT_THAT(master.log, ElementsAre("joined 7", "left 7"));
}

TEST_F(LinkTest, keeps_one_stream_to_a_master_that_has_two_addresses) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address(), fmt::format("localhost:{}", master.listener->port())});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1; }));
  pass(1s);
  EXPECT_EQ(std::ranges::count(agent.log, "joined 100"), 1);
  agent.link.send(kMaster, gone(1));
  ASSERT_TRUE(until([&] { return !master.heard.empty(); }));
}

TEST_F(LinkTest, connects_to_masters_that_it_is_told_of_and_leaves_those_it_is_not) {
  Master one(loop_, kMaster);
  Master two(loop_, kPeer);
  Agent agent(loop_, {one.address()});
  agent.link.keep_connected({{kPeer, two.address()}});
  ASSERT_TRUE(until([&] { return agent.log.size() == 2; }));
  agent.link.keep_connected({});
  ASSERT_TRUE(until([&] { return two.log.size() == 2; }));
  EXPECT_THAT(two.log, ElementsAre("joined 7", "left 7"));
  EXPECT_THAT(one.log, ElementsAre("joined 7"));
}

TEST_F(LinkTest, begins_with_the_masters_that_it_was_told_of_last) {
  Master master(loop_, kMaster);
  FakeLogs logs;
  std::vector<std::string> told;
  std::size_t joined = 0;
  MasterLink link(loop_, logs,
                  {.join = {"127.0.0.1:1"},
                   .remembered = {master.address()},
                   .on_told = [&](auto const& addresses) { told = addresses; },
                   .tls = {},
                   .caller = [] { return Caller{kAgent, "n1", {}, "a", {}}; },
                   .on_refused = [](auto) {}});
  link.receive({[&](NodeId) { ++joined; }, [](NodeId, auto) {}, [](NodeId) {}});
  link.start();
  ASSERT_TRUE(until([&] { return joined == 1; }));
  link.keep_connected({{kPeer, "127.0.0.1:2"}});
  EXPECT_THAT(told, ElementsAre("127.0.0.1:2"));
}

TEST_F(LinkTest, says_that_nobody_answers) {
  Agent agent(loop_, {"127.0.0.1:1"});
  ASSERT_TRUE(until([&] { return !agent.refused.empty(); }));
  EXPECT_THAT(agent.refused, ElementsAre("no master answers at 127.0.0.1:1; trying on"));
}

TEST_F(LinkTest, refuses_what_belongs_elsewhere_and_says_why_at_both_ends_once) {
  Master master(loop_, kMaster);
  Agent stranger(loop_, {master.address()}, {kAgent, "n1", {66}, "a", {}});
  ASSERT_TRUE(until([&] { return !stranger.refused.empty(); }));
  EXPECT_THAT(stranger.refused.front(), HasSubstr("another cluster"));
  ASSERT_EQ(master.refused.size(), 1U);
  EXPECT_THAT(master.refused.front(), HasSubstr("n1 (127.0.0.1:"));
  pass(3s);
  EXPECT_EQ(stranger.refused.size(), 1U);
  EXPECT_EQ(master.refused.size(), 1U);
}

TEST_F(LinkTest, refuses_a_second_node_with_the_same_id) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1; }));
  Agent copy(loop_, {master.address()}, {kAgent, "n2", {}, "b", {}});
  ASSERT_TRUE(until([&] { return !copy.refused.empty(); }));
  EXPECT_THAT(copy.refused.front(), HasSubstr("it is here: n1"));
  EXPECT_THAT(agent.log, ElementsAre("joined 100"));
}

TEST_F(LinkTest, tells_a_node_that_is_nobody_yet_which_cluster_it_is) {
  Master master(loop_, kMaster);
  ClusterQuery const query(
      loop_, {.masters = {"127.0.0.1:1", master.address()}, .tls = {}, .caller = {kAgent, "n1", {}, {}, {}}, .on_refused = [](auto) {}});
  ASSERT_TRUE(until([&] { return query.answer().has_value(); }));
  EXPECT_EQ(*query.answer(), master.accepted.cluster);
  EXPECT_THAT(master.log, IsEmpty());
}

TEST_F(LinkTest, connects_masters_once_and_carries_their_words) {
  Master one(loop_, kMaster);
  Master two(loop_, kPeer);
  std::vector<model::MasterAddress> const both{{kMaster, one.address()}, {kPeer, two.address()}};
  one.peers.keep_connected(both);
  two.peers.keep_connected(both);
  ASSERT_TRUE(until([&] { return !one.log.empty() && !two.log.empty(); }));
  EXPECT_THAT(one.log, ElementsAre("peer 101"));
  EXPECT_THAT(two.log, ElementsAre("peer 100"));
  one.peers.send(kPeer, model::Hears{{{1}}}, kNever);
  two.peers.send(kMaster, model::Hears{{{2}}}, kNever);
  ASSERT_TRUE(until([&] { return !one.said.empty() && !two.said.empty(); }));
  EXPECT_EQ(std::get<model::Hears>(one.said[0]).nodes, std::vector<NodeId>{{2}});
  EXPECT_EQ(std::get<model::Hears>(two.said[0]).nodes, std::vector<NodeId>{{1}});
}

TEST_F(LinkTest, says_when_it_cannot_listen) {
  Master master(loop_, kMaster);
  AgentLink agents(loop_, [] { return Accepted{}; }, [](auto) {});
  PeerLink peers(loop_, {});
  auto const second = Listener::listen(loop_, agents, peers,
                                       {.address = master.address(), .tls = {}, .admit_agent = {}, .admit_peer = {}, .on_refused = {}});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("is the port free"));
}

// ---- logs

TEST_F(LinkTest, brings_a_log_with_its_end) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1 && master.log.size() == 1; }));
  std::vector<std::string> lines;
  std::optional<Status> end;
  auto const reader = master.agents.read(
      kAgent, {.container = "c1", .follow = true, .tail = {}, .since = {}}, [&](ports::LogLine line) { lines.push_back(line.text); },
      [&](Status status) { end = status; });
  ASSERT_TRUE(until([&] { return agent.logs.reader != nullptr; }));
  EXPECT_THAT(agent.logs.asked, ElementsAre("c1"));
  agent.logs.reader->on_line({.time = {}, .text = std::string("a\0\xff", 3)});
  agent.logs.reader->on_line({.time = {}, .text = "b"});
  agent.logs.reader->on_end({});
  ASSERT_TRUE(until([&] { return end.has_value(); }));
  EXPECT_TRUE(*end);
  EXPECT_THAT(lines, ElementsAre(std::string("a\0\xff", 3), "b"));
}

TEST_F(LinkTest, stops_reading_a_log_that_nobody_wants_any_more) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1 && master.log.size() == 1; }));
  auto reader = master.agents.read(kAgent, {.container = "c1", .follow = true, .tail = {}, .since = {}}, [](auto) {}, [](auto) {});
  ASSERT_TRUE(until([&] { return agent.logs.reader != nullptr; }));
  reader->pause();
  ASSERT_TRUE(until([&] { return agent.logs.pauses == 1; }));
  reader->resume();
  ASSERT_TRUE(until([&] { return agent.logs.resumes == 1; }));
  reader.reset();
  ASSERT_TRUE(until([&] { return agent.logs.reader == nullptr; }));
}

TEST_F(LinkTest, reads_a_log_no_faster_than_it_is_taken) {
  Master master(loop_, kMaster);
  Agent agent(loop_, {master.address()});
  ASSERT_TRUE(until([&] { return agent.log.size() == 1 && master.log.size() == 1; }));
  std::size_t taken = 0;
  auto const reader =
      master.agents.read(kAgent, {.container = "c1", .follow = true, .tail = {}, .since = {}}, [&](auto) { ++taken; }, [](auto) {});
  ASSERT_TRUE(until([&] { return agent.logs.reader != nullptr; }));
  std::size_t printed = 0;
  while (agent.logs.pauses == 0 && printed < 10'000) agent.logs.reader->on_line({.time = {}, .text = std::string(16'000, 'x')}), ++printed;
  EXPECT_LT(printed, 10'000U);
  ASSERT_TRUE(until([&] { return agent.logs.resumes == 1 && taken == printed; }));
}

TEST_F(LinkTest, says_that_a_log_cannot_be_read) {
  Master master(loop_, kMaster);
  std::optional<Status> end;
  auto const reader =
      master.agents.read(kAgent, {.container = "c1", .tail = {}, .since = {}}, [](auto) {}, [&](Status status) { end = status; });
  EXPECT_FALSE(end) << "not inside the call";
  ASSERT_TRUE(until([&] { return end.has_value(); }));
  EXPECT_THAT(end->error().message, HasSubstr("not connected"));

  std::optional<Status> lost;
  auto agent = std::make_unique<Agent>(loop_, std::vector{master.address()});
  ASSERT_TRUE(until([&] { return master.log.size() == 1; }));
  auto const second = master.agents.read(
      kAgent, {.container = "c1", .follow = true, .tail = {}, .since = {}}, [](auto) {}, [&](Status status) { lost = status; });
  ASSERT_TRUE(until([&] { return agent->logs.reader != nullptr; }));
  agent.reset();
  ASSERT_TRUE(until([&] { return lost.has_value(); }));
  EXPECT_THAT(lost->error().message, HasSubstr("was lost"));
}

}  // namespace
}  // namespace davit::link_grpc
