// Containers of an earlier life of the cluster.
#include "codec/records.hpp"
#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using testing::IsEmpty;

TEST_F(FaultsTest, removes_a_late_container_of_a_service_from_before_a_restore) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  world_.kill_process();
  {
    MemoryStore store(world_.loop, world_.data());
    ASSERT_TRUE(store.data().commit(
        {.operations = {ports::Put{model::cluster_key(), codec::encode_record(model::ClusterRecord{.uid = {99}, .era = 2})}}}));
  }
  world_.start_process();
  ASSERT_TRUE(world_.settle(1min)) << world_.pending();
  fail_once([](auto const& call) { return is<model::CreateContainer>(call); }, {unknown(), true});
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 2)));
  world_.loop.advance(1s);
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  world_.loop.advance(2min);
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
}

}  // namespace
}  // namespace davit::sim
