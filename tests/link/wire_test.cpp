#include "adapters/link_grpc/wire.hpp"

#include <gtest/gtest.h>

namespace davit::link_grpc {
namespace {

model::SpecRef spec() {
  model::ServiceSpec spec;
  spec.image = "davit/hello:1";
  spec.instances = 3;
  spec.labels = {{{"a", "b"}}};
  spec.ports = {{.target = 80, .published = 8080}};
  return std::make_shared<model::ServiceSpec const>(std::move(spec));
}

constexpr Fence kFence{{7}, {1, 42}};
constexpr ServiceUid kUid{1, 4711};

model::NodeFacts facts() {
  return {.id = {5},
          .name = "n1",
          .address = "10.0.0.11",
          .link_port = 4821,
          .roles = {model::Role::Master, model::Role::Worker},
          .labels = {{"disk", "ssd"}, {"empty", ""}},
          .engine = {.version = "27.1", .api_version = "1.46", .platform = "linux/amd64", .cpus = 8, .memory = {16LL << 30}},
          .engine_up = true,
          .engine_message = "m"};
}

model::InstanceReport report() {
  return {.id = {9},
          .uid = kUid,
          .service = "web",
          .slot = 3,
          .revision = 2,
          .token = 11,
          .fence = kFence,
          .state = model::InstanceState::Failed,
          .health = model::Health::Unhealthy,
          .ready = true,
          .reason = model::Reason::OomKilled,
          .message = "exit 137",
          .restarts = 4,
          .failures = 2,
          .exit_code = 137,
          .container = {"c1", "web.3.x", "172.17.0.2"},
          .previous_container = "c0",
          .ports = {{.name = "http", .target = 80, .protocol = model::Protocol::Udp, .address = "10.0.0.11", .published = 20000}},
          .digest = "sha256:1",
          .created_ago = 5s,
          .state_ago = 4s,
          .ready_ago = 3s,
          .served_for = 7s,
          .was_found = true,
          .started_ago = 3s,
          .next_start_in = 2s};
}

void expect_same(model::ToAgent const& message) {
  Wire here;
  Wire there;
  auto const read = there.decode_from_master(here.encode(message));
  ASSERT_TRUE(read) << read.error().message;
  auto const* to_agent = std::get_if<model::ToAgent>(&*read);
  ASSERT_TRUE(to_agent);
  ASSERT_EQ(to_agent->index(), message.index());
  auto const* run = std::get_if<model::RunInstance>(&message);
  if (!run) {
    EXPECT_EQ(*to_agent, message);
    return;
  }
  auto copy = std::get<model::RunInstance>(*to_agent);
  EXPECT_EQ(*copy.spec, *run->spec);
  copy.spec = run->spec;
  EXPECT_EQ(copy, *run);
}

void expect_same(model::ToMaster const& message) {
  Wire wire;
  auto const read = wire.decode_from_agent(wire.encode(message));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, message);
}

template <class Message>
Message through_peer(Message const& message) {
  Wire here;
  Wire there;
  auto const read = there.decode_from_peer(here.encode(model::PeerMessage(message)));
  EXPECT_TRUE(read) << read.error().message;
  return std::get<Message>(std::get<model::PeerMessage>(*read));
}

TEST(Wire, carries_what_masters_say_to_agents) {
  expect_same(model::ToAgent(model::Welcome{{1}, 3, {{{4}, "10.0.0.1:4821"}, {{5}, "[::1]:4821"}}, {2, 77}}));
  expect_same(model::ToAgent(model::FenceShards{8, {kFence, {{127}, {2, 1}}}, {6}}));
  expect_same(model::ToAgent(model::RunInstance{.fence = kFence,
                                                .incarnation = 2,
                                                .id = {9},
                                                .uid = kUid,
                                                .service = "web",
                                                .slot = 3,
                                                .revision = 2,
                                                .spec = spec(),
                                                .digest = "sha256:1",
                                                .token = 5,
                                                .stop_after = 15s}));
  expect_same(model::ToAgent(model::StopInstance{kFence, {9}, kUid, 3, model::Reason::Replaced, 5}));
  expect_same(model::ToAgent(model::BeatBack{Monotonic(77ns), 2s, model::Grant{Monotonic(5s), 3}}));
  expect_same(model::ToAgent(model::BeatBack{Monotonic(77ns), 1s, {}}));
  model::Endpoint const endpoint{.instance = {9},
                                 .slot = 3,
                                 .node = "n1",
                                 .address = "10.0.0.1",
                                 .port = 20000,
                                 .target = 80,
                                 .name = "http",
                                 .protocol = model::Protocol::Udp};
  model::ServiceChange const changed{.name = "web",
                                     .instances = {{{9}, {endpoint, endpoint}}, {{10}, {}}},
                                     .ingress = std::vector<model::IngressPort>{{8080, 80, model::Protocol::Tcp, true}}};
  expect_same(
      model::ToAgent(model::DirectoryChanged{.is_first = true,
                                             .is_whole = true,
                                             .services = {changed,
                                                          {.name = "db", .is_gone = true, .instances = {}, .ingress = {}},
                                                          {.name = "q", .instances = {}, .ingress = std::vector<model::IngressPort>{}}},
                                             .nodes = {{"n1", "10.0.0.1"}, {"n2", ""}}}));
  expect_same(model::ToAgent(model::DirectoryChanged{.is_over = true, .services = {}, .nodes = {}}));
}

TEST(Wire, carries_what_agents_say_to_masters) {
  expect_same(model::ToMaster(model::AgentHello{facts(), 4}));
  expect_same(model::ToMaster(model::FencesStored{8, {kFence}, {report(), {.id = {2}}}, {6}}));
  expect_same(model::ToMaster(model::Verdict{{9}, kUid, 3, false, model::Reason::HostPortInUse, "8080 is taken"}));
  expect_same(model::ToMaster(model::InstanceChanged{report()}));
  expect_same(model::ToMaster(model::InstanceGone{{9}, kUid, 3, 5}));
  expect_same(model::ToMaster(model::Beat{{1.5, 2.5, {1 << 20}, {}}, 3, Monotonic(4s), Monotonic(5s), Wall(6ms)}));
  expect_same(model::ToMaster(model::Beat{{1.5, 2.5, {1 << 20}, model::Pressure{0.5, 0, 0.25}}, 3, Monotonic(4s), Monotonic(5s), {}}));
  expect_same(model::ToMaster(model::FactsChanged{facts()}));
  expect_same(model::ToMaster(model::InstancesMeasured{{{{9}, kUid, 3, {250, 1 << 20}}, {{10}, kUid, 4, {}}}}));
  expect_same(model::ToMaster(model::FollowDirectory{true}));
  expect_same(model::ToMaster(model::FollowDirectory{false}));
}

TEST(Wire, carries_commands_between_masters) {
  model::Command command{
      .service = "web", .author = "api", .request_id = "r1", .fingerprint = 12, .if_generation = 4, .body = model::Replace{spec(), true}};
  auto const forward = through_peer(model::Forward{3, command});
  auto const& same = std::get<model::Command>(forward.command);
  EXPECT_EQ(forward.id, 3U);
  EXPECT_EQ(same.service, "web");
  EXPECT_EQ(same.author, "api");
  EXPECT_EQ(same.request_id, "r1");
  EXPECT_EQ(same.fingerprint, 12U);
  EXPECT_EQ(same.if_generation, 4U);
  EXPECT_FALSE(same.if_uid);
  command.if_uid = ServiceUid{1, 5};
  EXPECT_EQ(std::get<model::Command>(through_peer(model::Forward{3, command}).command).if_uid, command.if_uid);
  EXPECT_EQ(*std::get<model::Replace>(same.body).spec, *spec());
  EXPECT_TRUE(std::get<model::Replace>(same.body).create_if_absent);

  std::vector<model::CommandBody> const bodies{model::Create{spec()}, model::Restart{}, model::Rollback{}, model::Rollback{2},
                                               model::Remove{},       model::Pause{},   model::Resume{},   model::Move{{{1, {2}, {3}}}}};
  for (auto const& body : bodies) {
    command.body = body;
    auto const read = std::get<model::Command>(through_peer(model::Forward{3, command}).command).body;
    EXPECT_EQ(read.index(), body.index());
    if (auto const* rollback = std::get_if<model::Rollback>(&body))
      EXPECT_EQ(std::get<model::Rollback>(read).to_revision, rollback->to_revision);
    if (auto const* move = std::get_if<model::Move>(&read)) EXPECT_EQ(move->targets.at(0).to, NodeId{3});
  }
}

TEST(Wire, carries_node_commands_answers_and_relays) {
  model::NodeCommand const command{.node = {4},
                                   .labels = {{"a", "b"}, {"gone", std::nullopt}},
                                   .availability = model::Availability::Drain,
                                   .mark_down = true,
                                   .forget = true};
  auto const read = std::get<model::NodeCommand>(through_peer(model::Forward{3, command}).command);
  EXPECT_EQ(read.labels, command.labels);
  EXPECT_EQ(read.availability, command.availability);
  EXPECT_TRUE(read.mark_down && read.forget);

  auto const failed = through_peer(model::ForwardAnswered{3, fail(Code::Stale, "read it again", "#/x"), true});
  EXPECT_EQ(failed.outcome.error(), (Error{Code::Stale, "read it again", "#/x"}));
  EXPECT_TRUE(failed.is_elsewhere);
  auto const applied = through_peer(model::ForwardAnswered{4, model::Applied{1, 2, 3, true, false, true}});
  EXPECT_EQ(applied.outcome->store_revision, 3);
  EXPECT_TRUE(applied.outcome->created && applied.outcome->unchanged && !applied.outcome->replayed);

  EXPECT_EQ(through_peer(model::Hears{{{1}, {2}}}).nodes, (std::vector<NodeId>{{1}, {2}}));
  EXPECT_FALSE(through_peer(model::Subscribe{{1}, false}).is_wanted);
  EXPECT_EQ(through_peer(model::RelayDropped{{7}}).node, NodeId{7});
  model::ToAgent const stop = model::StopInstance{kFence, {9}, kUid, 3, model::Reason::Replaced, 5};
  EXPECT_EQ(through_peer(model::RelayToAgent{{1}, stop}).message, stop);
  model::ToMaster const gone = model::InstanceGone{{9}, kUid, 3, 5};
  EXPECT_EQ(through_peer(model::RelayFromAgent{{1}, gone}).message, gone);
}

TEST(Wire, refuses_what_cannot_be_meant) {
  Wire wire;
  EXPECT_EQ(wire.decode_from_master("\xff\xff").error().code, Code::Invalid);
  EXPECT_EQ(wire.decode_from_agent("").error().code, Code::Unsupported) << "an empty message is a kind that is not known";
  EXPECT_EQ(wire.decode_from_peer("").error().code, Code::Unsupported);
}

TEST(Wire, reads_equal_specs_once) {
  Wire wire;
  auto const bytes = wire.encode(model::ToAgent(model::RunInstance{.spec = spec()}));
  auto const read = [&] { return std::get<model::RunInstance>(std::get<model::ToAgent>(*wire.decode_from_master(bytes))).spec; };
  EXPECT_EQ(read(), read());
}

}  // namespace
}  // namespace davit::link_grpc
