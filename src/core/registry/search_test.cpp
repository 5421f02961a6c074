#include "core/registry/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::registry {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::RegistryReply masters(std::vector<std::string> const& clusters) {
  model::RegistryEntries all;
  for (auto const& cluster : clusters)
    all.all.push_back({.address = "10.0.0.1", .port = 4821, .meta = {{"cluster", cluster}, {"kind", "master"}}});
  return all;
}

TEST(Search, waits_and_says_so_once_and_then_rarely) {
  Now now{.monotonic = Monotonic{} + 100s, .wall = {}};
  Search search({.service = "etcd", .wants = "etcd", .cluster = {}}, now.monotonic);
  int notes = 0;
  for (int i = 0; i < 600; ++i) {
    auto const outcome = search.on_answer(now, model::RegistryReply(model::RegistryEntries{}));
    EXPECT_THAT(outcome.found, IsEmpty());
    EXPECT_FALSE(outcome.is_over) << "without a memory there is nothing to go on with";
    if (outcome.note) {
      EXPECT_EQ(outcome.note->text, "waiting for etcd: Consul has no passing service etcd");
      ++notes;
    }
    now.monotonic = outcome.retry_at;
  }
  EXPECT_EQ(notes, 2) << "in ten minutes";
  EXPECT_TRUE(search.on_answer(now, fail(Code::Unavailable, "refused")).note) << "something else is news";
  EXPECT_THAT(search.on_answer(now, masters({"", ""})).found, SizeIs(2));
}

TEST(Search, takes_masters_of_one_cluster_only) {
  SearchOptions const options{.service = "davit-master", .wants = "a master", .is_of_cluster = true, .cluster = {}};
  auto const one = to_string(ClusterId{1});
  auto const two = to_string(ClusterId{2});
  auto const refused = Search(options, {}).on_answer({}, masters({one, two}));
  EXPECT_THAT(refused.found, IsEmpty());
  EXPECT_THAT(refused.note->text, HasSubstr("--join"));
  EXPECT_THAT(Search(options, {}).on_answer({}, masters({one, one})).found, SizeIs(2));
  auto of_two = options;
  of_two.cluster = ClusterId{2};
  EXPECT_THAT(Search(of_two, {}).on_answer({}, masters({one, two})).found, SizeIs(1));
  EXPECT_THAT(Search(of_two, {}).on_answer({}, masters({one})).note->text, HasSubstr("of cluster " + two));
}

TEST(Search, goes_on_without_where_it_knew_it_before) {
  Now now{.monotonic = Monotonic{} + 100s, .wall = {}};
  Search search({.service = "etcd", .wants = "etcd", .cluster = {}, .has_memory = true}, now.monotonic);
  int asked = 1;
  for (auto outcome = search.on_answer(now, masters({})); !outcome.is_over && asked < 100; ++asked) {
    now.monotonic = outcome.retry_at;
    outcome = search.on_answer(now, masters({}));
    EXPECT_THAT(outcome.found, IsEmpty());
  }
  EXPECT_EQ(now.monotonic, Monotonic{} + 104s);
  EXPECT_EQ(asked, 5);
}

// Users may call a service "etcd", and one called "davit_master" has that name in Consul.
TEST(Search, does_not_take_an_instance_for_what_has_its_name) {
  auto answer = [](std::string kind) {
    return model::RegistryReply(
        model::RegistryEntries{{{.address = "10.0.0.9", .port = 20'000, .meta = {{"cluster", ""}, {"kind", std::move(kind)}}}}});
  };
  SearchOptions const etcd{.service = "etcd", .wants = "etcd", .is_of_cluster = false, .cluster = {}};
  EXPECT_THAT(Search(etcd, {}).on_answer({}, answer("instance")).found, IsEmpty());
  EXPECT_THAT(Search(etcd, {}).on_answer({}, answer("")).found, SizeIs(1));
  SearchOptions const master{.service = "davit-master", .wants = "a master", .is_of_cluster = true, .cluster = {}};
  EXPECT_THAT(Search(master, {}).on_answer({}, answer("instance")).found, IsEmpty());
  EXPECT_THAT(Search(master, {}).on_answer({}, answer("")).found, IsEmpty()) << "somebody else's";
  EXPECT_THAT(Search(master, {}).on_answer({}, answer("master")).found, SizeIs(1));
}

}  // namespace
}  // namespace davit::registry
