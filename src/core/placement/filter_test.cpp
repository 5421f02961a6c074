#include "core/placement/filter.hpp"

#include <gtest/gtest.h>

namespace davit::placement {
namespace {

using model::Reason;

Traits traits() {
  return {.id = {7},
          .name = "n1",
          .roles = {model::Role::Master, model::Role::Worker},
          .labels = {{"disk", "ssd"}, {"zone", "a"}},
          .platform = "linux/amd64"};
}

Room room() {
  Room room;
  room.condition = {.is_member = true,
                    .status = model::NodeStatus::Up,
                    .engine_up = true,
                    .has_answered = true,
                    .capacity = {4'000'000, std::int64_t{4} << 30}};
  room.is_worker = true;
  return room;
}

TEST(Resources, are_compared_without_overflow) {
  auto on = room();
  on.reserved = {1'000'000, 1 << 20};
  EXPECT_FALSE(has_resources(on, {0, INT64_MAX}));
  EXPECT_FALSE(has_resources(on, {INT64_MAX, 0}));
  EXPECT_TRUE(has_resources(on, {3'000'000, (std::int64_t{4} << 30) - (1 << 20)}));
}

TEST(Constraint, matches_as_docker_does) {
  struct Case {
    char const* text;
    bool holds;
  };
  Case const cases[] = {
      {"node.labels.disk==ssd", true},
      {"node.labels.disk == SSD", true},
      {"node.labels.disk!=ssd", false},
      {"node.labels.disk==hdd", false},
      {"node.labels.gpu==yes", false},
      {"node.labels.gpu!=yes", true},
      {"node.name==n1", true},
      {"node.hostname==n1", true},
      {"node.name!=n1", false},
      {"node.id==000000000007", true},
      {"node.id==000000000008", false},
      {"node.role==worker", true},
      {"node.role==master", true},
      {"node.role==manager", true},
      {"node.role!=manager", false},
      {"node.platform.os==linux", true},
      {"node.platform.os==windows", false},
      {"node.platform.arch==amd64", true},
      {"node.platform.arch==x86_64", true},
      {"node.platform.arch!=aarch64", true},
      {"node.platform.arch==arm64", false},
  };
  for (auto const& each : cases) {
    auto const constraint = model::parse_constraint(each.text);
    ASSERT_TRUE(constraint) << each.text << ": " << constraint.error().message;
    EXPECT_EQ(matches(traits(), *constraint), each.holds) << each.text;
  }
}

struct Rejected {
  char const* what;
  void (*change)(model::ServiceSpec&, Traits&, Room&);
  Filter filter;
  char const* detail;
  Reason reason;
};

class FilterTest : public testing::TestWithParam<Rejected> {};
INSTANTIATE_TEST_SUITE_P(
    Each, FilterTest,
    testing::Values(
        Rejected{"down", [](auto&, auto&, Room& room) { room.condition.status = model::NodeStatus::Down; }, Filter::Status, "down",
                 Reason::NodeDown},
        Rejected{"unanswered", [](auto&, auto&, Room& room) { room.condition.has_answered = false; }, Filter::Status,
                 "has not answered yet", Reason::NodeUnreachable},
        Rejected{"engine", [](auto&, auto&, Room& room) { room.condition.engine_up = room.condition.has_answered = false; }, Filter::Engine,
                 "its engine does not answer", Reason::EngineAway},
        Rejected{"pause", [](auto&, auto&, Room& room) { room.condition.availability = model::Availability::Pause; }, Filter::Availability,
                 "pause", Reason::NoNodeFits},
        Rejected{"drain", [](auto&, auto&, Room& room) { room.condition.availability = model::Availability::Drain; }, Filter::Availability,
                 "drain", Reason::NoNodeFits},
        Rejected{"role", [](auto&, auto&, Room& room) { room.is_worker = false; }, Filter::Role, "is no worker", Reason::NoNodeFits},
        Rejected{"label", [](model::ServiceSpec& spec, auto&, auto&) { spec.placement.constraints = {"node.labels.disk == hdd"}; },
                 Filter::Constraint, "node.labels.disk==hdd, is ssd", Reason::NoNodeFits},
        Rejected{"no_label", [](model::ServiceSpec& spec, auto&, auto&) { spec.placement.constraints = {"node.labels.gpu==a100"}; },
                 Filter::Constraint, "node.labels.gpu==a100, has no such label", Reason::NoNodeFits},
        Rejected{"platform", [](model::ServiceSpec& spec, auto&, auto&) { spec.placement.constraints = {"node.platform.arch==arm64"}; },
                 Filter::Platform, "node.platform.arch==arm64, is linux/amd64", Reason::NoNodeFits},
        Rejected{"cpu",
                 [](model::ServiceSpec& spec, auto&, Room& room) {
                   spec.resources.reservations.cpus = 1.5;
                   room.reserved.microcores = 2'750'000;
                 },
                 Filter::Cpu, "wants 1.5 cores, 1.25 unreserved", Reason::NotEnoughCpu},
        Rejected{"memory",
                 [](model::ServiceSpec& spec, auto&, Room& room) {
                   spec.resources.reservations.memory = {std::int64_t{4} << 30};
                   room.reserved.memory = std::int64_t{2867} << 20;
                 },
                 Filter::Memory, "wants 4 GiB, 1.2 GiB unreserved", Reason::NotEnoughMemory},
        Rejected{"most", [](model::ServiceSpec& spec, auto&, auto&) { spec.placement.max_replicas_per_node = 2; }, Filter::MaxPerNode,
                 "runs 2 of at most 2", Reason::MaxPerNode}),
    [](auto const& each) { return each.param.what; });

TEST_P(FilterTest, rejects_alone_and_says_why) {
  model::ServiceSpec spec;
  auto node = traits();
  auto its_room = room();
  ASSERT_EQ(first_rejection(request_of(spec), {node, its_room, 2}), std::nullopt);
  GetParam().change(spec, node, its_room);
  auto const request = request_of(spec);
  Sight const sight{node, its_room, 2};
  ASSERT_EQ(first_rejection(request, sight), GetParam().filter);
  EXPECT_EQ(detail(GetParam().filter, request, sight), GetParam().detail);
  EXPECT_EQ(reason_of(GetParam().filter, sight), GetParam().reason);
}

TEST(Filter, lets_pass_what_just_fits) {
  model::ServiceSpec spec;
  spec.resources.reservations = {0.1, {1 << 30}};
  spec.placement.constraints = {"node.labels.disk==ssd", "node.role==worker"};
  spec.placement.max_replicas_per_node = 3;
  auto its_room = room();
  its_room.reserved = {3'900'000, std::int64_t{3} << 30};  // in floating point 3.9 + 0.1 may be more than 4
  auto const node = traits();
  EXPECT_EQ(first_rejection(request_of(spec), {node, its_room, 2}), std::nullopt);
}

TEST(Filter, rejects_a_node_where_a_wanted_port_is_taken) {
  auto const node = traits();
  auto const its_room = room();
  Sight const taken{.traits = node, .room = its_room, .taken_port = HostPort{model::Protocol::Udp, 53}};
  EXPECT_EQ(first_rejection({}, taken), Filter::HostPort);
  EXPECT_EQ(detail(Filter::HostPort, {}, taken), "port 53/udp is taken");
  EXPECT_EQ(reason_of(Filter::HostPort, taken), Reason::HostPortInUse);
}

TEST(Request, wants_the_ports_that_are_fixed) {
  model::ServiceSpec spec;
  spec.ports = {{.target = 80, .published = 8080}, {.target = 90}, {.target = 70, .published = 7000, .published_end = 7009}};
  EXPECT_EQ(request_of(spec).ports, (std::vector<HostPort>{{model::Protocol::Tcp, 8080}}));
}

TEST(Filter, rejects_a_node_that_does_not_have_the_slots_volume_and_one_that_refused) {
  auto const node = traits();
  auto const its_room = room();
  Refusal const refusal{NodeIx(0), {}, Reason::HostPortInUse, "port 8080 is taken"};
  Sight const elsewhere{.traits = node, .room = its_room, .has_volume_elsewhere = true};
  Sight const refused{.traits = node, .room = its_room, .refusal = &refusal};
  EXPECT_EQ(first_rejection({}, elsewhere), Filter::Volume);
  EXPECT_EQ(first_rejection({}, refused), Filter::Refused);
  EXPECT_EQ(detail(Filter::Refused, {}, refused), "port 8080 is taken");
  EXPECT_EQ(reason_of(Filter::Refused, refused), Reason::HostPortInUse);
}

TEST(Request, counts_as_the_mean_what_reserves_nothing) {
  model::ServiceSpec spec;
  EXPECT_EQ(request_of(spec).expected, kMeanUse);
  EXPECT_EQ(request_of(spec).kind.reserved, Amount());
  spec.resources.reservations.cpus = 2;
  EXPECT_EQ(request_of(spec).expected, (Amount{2'000'000, kMeanUse.memory}));
}

TEST(Request, keeps_the_node_of_what_writes_to_it) {
  model::ServiceSpec spec;
  spec.volumes = {{.target = "/anonymous"}, {.source = "data", .target = "/d", .read_only = true}, {model::MountType::Tmpfs, "", "/t"}};
  EXPECT_FALSE(request_of(spec).keeps_node);
  spec.volumes.push_back({model::MountType::Bind, "/srv", "/s"});
  EXPECT_TRUE(request_of(spec).keeps_node);
}

}  // namespace
}  // namespace davit::placement
