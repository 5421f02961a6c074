// What a master tells agents of where services are found, and when it tells nothing.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "master/bench.hpp"

namespace davit::master {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr NodeId kMaster{1};
constexpr NodeId kFollower{11};
constexpr auto kNodes = {kFollower, NodeId{12}, NodeId{13}};

class DirectoryTest : public testing::Test {
 protected:
  DirectoryTest() {
    for (auto const id : kNodes) bench_.add_node(id);
    bench_.start_master(kMaster);
    EXPECT_TRUE(bench_.until([&] { return bench_.master(kMaster).acts_for(shard_of("web")) && are_all_up(); }));
    bench_.pass(2s);
  }
  bool are_all_up() {
    return std::ranges::all_of(kNodes, [&](NodeId id) { return bench_.node(id).incarnation > 0 && bench_.node(id).grant.has_value(); });
  }
  void create(std::string const& name, std::int64_t instances = 1) {
    auto spec = std::make_shared<model::ServiceSpec>();
    spec->image = "a";
    spec->instances = instances;
    spec->ports = {{.target = 80, .published = 8'080, .mode = model::PortMode::Ingress}};
    auto const reply = bench_.command(kMaster, {.service = name, .body = model::Create{spec}});
    ASSERT_TRUE(reply && *reply);
  }
  // All that is offered runs at once, each with a port.
  void run_what_is_offered() {
    bench_.until(
        [&] {
          for (auto const id : kNodes) {
            for (auto const& offer : std::exchange(bench_.node(id).offers, {})) run(id, offer);
          }
          return false;
        },
        2s);
  }
  void run(NodeId node, model::RunInstance const& offer) {
    model::InstanceReport report{.id = offer.id, .uid = offer.uid, .service = offer.service, .slot = offer.slot};
    report.revision = offer.revision;
    report.state = model::InstanceState::Running;
    report.ready = true;
    report.ports = {{.target = 80, .address = "10.0.0." + std::to_string(node.value), .published = 20'000}};
    bench_.say(node, model::Verdict{.id = report.id, .uid = report.uid, .slot = report.slot, .admitted = true, .message = {}});
    bench_.node(node).has.push_back(report);
    bench_.say(node, model::InstanceChanged{report});
  }

  void follow(NodeId node = kFollower) { bench_.say(node, model::FollowDirectory{}); }
  std::vector<model::DirectoryChanged>& told(NodeId node = kFollower) { return bench_.node(node).told; }
  // What an agent knows that has heard all of it.
  model::Directory known(NodeId node = kFollower) {
    model::Directory directory;
    for (auto const& message : told(node)) {
      if (message.is_first || message.is_over) directory = {};
      for (auto const& change : message.services) model::apply(directory, change);
      for (auto const& change : message.nodes) model::apply(directory, change);
    }
    return directory;
  }
  bool is_whole(NodeId node = kFollower) { return !told(node).empty() && told(node).back().is_whole; }
  std::size_t endpoints(std::string const& service, NodeId node = kFollower) {
    auto const directory = known(node);
    auto const found = directory.services.find(service);
    return found == directory.services.end() ? 0 : found->second->endpoints.size();
  }

  Bench bench_;
};

TEST_F(DirectoryTest, is_told_as_a_whole_to_one_who_begins_to_follow) {
  create("web", 3);
  run_what_is_offered();
  EXPECT_THAT(told(), IsEmpty()) << "nobody has asked";
  follow();
  ASSERT_TRUE(bench_.until([&] { return is_whole(); }, 1s));
  EXPECT_TRUE(told().front().is_first);
  auto const directory = known();
  EXPECT_THAT(directory.nodes, ElementsAre(Pair("n11", "10.0.0.11"), Pair("n12", "10.0.0.12"), Pair("n13", "10.0.0.13")));
  ASSERT_TRUE(directory.services.contains("web"));
  auto const& web = *directory.services.at("web");
  ASSERT_THAT(web.endpoints, SizeIs(3));
  for (auto const& endpoint : web.endpoints) EXPECT_EQ(endpoint.address, directory.nodes.at(endpoint.node));
  EXPECT_THAT(web.ingress, ElementsAre(model::IngressPort{.published = 8'080, .target = 80}));
}

TEST_F(DirectoryTest, is_told_only_what_has_changed_afterwards) {
  follow();
  create("web", 3);
  run_what_is_offered();
  ASSERT_EQ(endpoints("web"), 3u);
  told().clear();
  bench_.pass(3s);
  EXPECT_THAT(told(), IsEmpty()) << "nothing has changed";

  auto& node = bench_.node(kFollower);
  ASSERT_THAT(node.has, SizeIs(1));
  auto unready = node.has.front();
  unready.ready = false;
  bench_.say(kFollower, model::InstanceChanged{unready});
  bench_.pass(1s);
  ASSERT_THAT(told(), SizeIs(1));
  ASSERT_THAT(told()[0].services, SizeIs(1));
  EXPECT_FALSE(told()[0].services[0].ingress);
  ASSERT_THAT(told()[0].services[0].instances, SizeIs(1));
  EXPECT_EQ(told()[0].services[0].instances[0].instance, unready.id);
  EXPECT_THAT(told()[0].services[0].instances[0].endpoints, IsEmpty());
}

TEST_F(DirectoryTest, is_the_same_for_one_who_comes_later) {
  follow();
  create("web", 3);
  run_what_is_offered();
  follow({12});
  ASSERT_TRUE(bench_.until([&] { return is_whole({12}); }, 1s));
  auto const early = known(), late = known({12});
  EXPECT_EQ(early.nodes, late.nodes);
  ASSERT_EQ(early.services.size(), late.services.size());
  for (auto const& [name, entry] : early.services) EXPECT_EQ(*entry, *late.services.at(name)) << name;
}

TEST_F(DirectoryTest, loses_what_was_listed_on_a_node_that_is_gone) {
  follow();
  create("web", 3);
  run_what_is_offered();
  ASSERT_EQ(endpoints("web"), 3u);
  bench_.cut({13});
  ASSERT_TRUE(bench_.until([&] { return endpoints("web") == 2; }, 10s));
  EXPECT_TRUE(known().nodes.contains("n13")) << "it is not down yet";
}

TEST_F(DirectoryTest, is_not_told_any_more_to_one_who_does_not_want_it_or_has_left) {
  follow();
  follow({12});
  bench_.say(kFollower, model::FollowDirectory{.is_wanted = false});
  bench_.cut({12});
  told().clear();
  told({12}).clear();
  bench_.heal({12});
  create("web");
  run_what_is_offered();
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_THAT(told({12}), IsEmpty());
}

}  // namespace
}  // namespace davit::master
