#include "adapters/store_etcd/messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/store_etcd/watches.hpp"
#include "proto/etcd/rpc.pb.h"

namespace davit::store_etcd {
namespace {

using testing::ElementsAre;

TEST(Messages, end_a_prefix_at_the_next_key_that_does_not_have_it) {
  EXPECT_EQ(end_of("a/"), "a0");
  EXPECT_EQ(end_of("a\xff\xff"), "b");
  EXPECT_EQ(end_of("\xff\xff"), std::string(1, '\0'));
  EXPECT_EQ(end_of(""), std::string(1, '\0'));
}

TEST(Messages, make_one_batch_of_each_revision) {
  etcdserverpb::WatchResponse response;
  response.mutable_header()->set_revision(9);
  auto const add = [&](mvccpb::Event::EventType type, char const* key, std::int64_t revision) {
    auto& event = *response.add_events();
    event.set_type(type);
    event.mutable_kv()->set_key(key);
    event.mutable_kv()->set_mod_revision(revision);
  };
  add(mvccpb::Event::PUT, "a", 7);
  add(mvccpb::Event::DELETE, "b", 7);
  add(mvccpb::Event::PUT, "a", 9);
  auto const message = read_watch(response.SerializeAsString());
  ASSERT_TRUE(message.has_value());
  ASSERT_EQ(message->batches.size(), 2u);
  EXPECT_EQ(message->batches[0].revision, 7);
  ASSERT_EQ(message->batches[0].changes.size(), 2u);
  EXPECT_EQ(std::get<ports::KeyPut>(message->batches[0].changes[0]).item.key, "a");
  EXPECT_EQ(std::get<ports::KeyErased>(message->batches[0].changes[1]).key, "b");
  EXPECT_EQ(message->batches[1].revision, 9);
}

TEST(Messages, are_refused_where_they_are_none) {
  std::string const nonsense = "\xff\xff\xff\xff";
  for (auto* read :
       {&read_committed, &read_range, &read_granted, &read_kept_alive, &read_revoked, &read_compacted, &read_status, &read_token})
    EXPECT_EQ((*read)(nonsense).error().code, Code::Internal);
  EXPECT_EQ(read_watch(nonsense).error().code, Code::Internal);
}

TEST(Messages, take_a_ttl_of_0_for_a_lease_that_has_ended) {
  etcdserverpb::LeaseKeepAliveResponse response;
  response.set_id(5);
  EXPECT_EQ(read_kept_alive(response.SerializeAsString()).error().code, Code::NotFound);
}

TEST(Progress, is_asked_for_where_it_comes_in_order) {
  for (auto const* version : {"3.4.25", "3.4.37", "3.5.8", "3.5.21", "3.6.0", "3.6.16", "4.0.0", "3.6.0-rc.1"})
    EXPECT_TRUE(tells_progress_in_order(version)) << version;
  for (auto const* version : {"3.4.23", "3.4.24", "3.5.0", "3.5.7", "3.3.27", "", "new"})
    EXPECT_FALSE(tells_progress_in_order(version)) << version;
}

}  // namespace
}  // namespace davit::store_etcd
