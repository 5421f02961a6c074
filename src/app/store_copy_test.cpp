#include "app/store_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/core.h>

#include "adapters/store_sqlite/sqlite_store.hpp"
#include "codec/records.hpp"
#include "model/records.hpp"

namespace davit::app {
namespace {

using testing::HasSubstr;

ports::KeyValue item(model::Record const& record, std::int64_t create_revision = 40) {
  return {.key = model::key_of(record), .value = codec::encode_record(record), .create_revision = create_revision, .mod_revision = 50};
}

model::Record carried(ports::KeyValue const& from) {
  auto const value = carried_over(from);
  EXPECT_TRUE(value && *value) << from.key;
  return *codec::decode_record(from.key, **value);
}

model::HeadRecord head(ServiceUid uid) {
  model::HeadRecord record;
  record.head.name = "web";
  record.head.uid = uid;
  record.head.generation = record.head.revision = record.head.last_revision = 1;
  record.head.events = 1;
  record.head.revisions[1] = {};
  return record;
}

TEST(CarriedOver, raises_the_era) {
  auto const record = std::get<model::ClusterRecord>(carried(item(model::ClusterRecord{.uid = {9}, .era = 3})));
  EXPECT_EQ(record, (model::ClusterRecord{.uid = {9}, .era = 4}));
}

// Where it was left out it is the key's, which has another one in the other store.
TEST(CarriedOver, writes_out_the_revision_of_a_service_uid) {
  EXPECT_EQ(std::get<model::HeadRecord>(carried(item(head({1, 0}), 40))).head.uid, (ServiceUid{1, 40}));
  EXPECT_EQ(std::get<model::HeadRecord>(carried(item(head({1, 17}), 40))).head.uid, (ServiceUid{1, 17}));
}

TEST(CarriedOver, leaves_what_belongs_to_processes) {
  for (model::Record const& record : {model::Record(model::ShardRecord{{3}, "s.1"}),
                                      model::Record(model::MasterRecord{.id = {1}, .session = "s.1", .name = "m", .address = {}}),
                                      model::Record(model::CoordinatorRecord{{1}, "s.1"}), model::Record(model::SuspectsRecord{}),
                                      model::Record(model::SeenRecord{.master = {1}, .session = "s.1"})}) {
    auto const value = carried_over(item(record));
    ASSERT_TRUE(value) << model::key_of(record);
    EXPECT_FALSE(*value) << model::key_of(record);
  }
  EXPECT_EQ(std::get<model::NodeRecord>(carried(item(model::NodeRecord{.id = {7}, .name = "n"}))).name, "n");
}

TEST(CarriedOver, refuses_what_it_cannot_read) { EXPECT_FALSE(carried_over({.key = "davit/v1/nodes/x", .value = "no record"})); }

class StoreCopyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "davit-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    from_ = open("from");
    to_ = open("to");
  }
  void TearDown() override {
    from_->stop();
    to_->stop();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<store_sqlite::SqliteStore> open(std::string const& name) {
    auto store = store_sqlite::SqliteStore::open(loop_, folder_ / name);
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }
  void put(ports::Store& store, std::string key, std::string value) {
    bool is_done = false;
    store.commit({.compares = {}, .operations = {ports::Put{.key = std::move(key), .value = std::move(value)}}}, kNever,
                 [&is_done](Result<ports::Committed> const& outcome) { is_done = outcome.has_value(); });
    ASSERT_TRUE(loop_.run_until([&is_done] { return is_done; }, 20s));
  }
  void put(ports::Store& store, model::Record const& record) { put(store, model::key_of(record), codec::encode_record(record)); }
  std::size_t count(ports::Store& store) {
    std::optional<std::size_t> count;
    store.range({.prefix = std::string(model::kRoot)}, kNever, [&count](auto const& answer) { count = answer->items.size(); });
    EXPECT_TRUE(loop_.run_until([&count] { return count.has_value(); }, 20s));
    return count.value_or(0);
  }
  Result<CopyReport> copy() {
    return copy_store(loop_, *from_, *to_, [this](std::size_t keys, std::size_t) { progress_.push_back(keys); });
  }

  runtime::AsioLoop loop_;
  std::filesystem::path folder_;
  std::unique_ptr<store_sqlite::SqliteStore> from_;
  std::unique_ptr<store_sqlite::SqliteStore> to_;
  std::vector<std::size_t> progress_;
};

TEST_F(StoreCopyTest, takes_all_in_pieces_that_a_store_accepts) {
  put(*from_, model::ClusterRecord{.uid = {9}});
  put(*from_, head({1, 0}));
  for (std::uint64_t i = 0; i < 250; ++i) put(*from_, model::NodeRecord{.id = {1000 + i}, .name = fmt::format("n{}", i)});
  put(*from_, model::ShardRecord{{3}, "s.1"});
  auto const report = copy();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->keys, 252U);
  EXPECT_EQ(report->services, 1U);
  EXPECT_EQ(report->era, 2U);
  EXPECT_EQ(report->cluster, ClusterId{9});
  EXPECT_EQ(count(*to_), 252U);
  EXPECT_GT(progress_.size(), 2U);
  EXPECT_EQ(progress_.back(), 252U);
}

TEST_F(StoreCopyTest, leaves_a_cluster_alone_that_is_there) {
  put(*from_, model::ClusterRecord{.uid = {9}});
  put(*to_, model::ClusterRecord{.uid = {10}});
  auto const report = copy();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::Exists);
  EXPECT_THAT(report.error().message, HasSubstr(to_string(ClusterId{10})));
  EXPECT_EQ(count(*to_), 1U);
}

TEST_F(StoreCopyTest, begins_anew_after_a_copy_that_was_interrupted) {
  put(*from_, model::ClusterRecord{.uid = {9}});
  put(*to_, model::NodeRecord{.id = {7}, .name = "left"});
  ASSERT_TRUE(copy());
  EXPECT_EQ(count(*to_), 1U);
}

// Killed after its last commit and before the store was put aside.
TEST_F(StoreCopyTest, finds_that_it_has_been_made_already) {
  put(*from_, model::ClusterRecord{.uid = {9}});
  put(*from_, model::NodeRecord{.id = {7}, .name = "n"});
  ASSERT_TRUE(copy());
  put(*to_, model::NodeRecord{.id = {8}, .name = "later"});
  auto const again = copy();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->was_there);
  EXPECT_EQ(count(*to_), 3U);
}

TEST_F(StoreCopyTest, has_nothing_to_take_from_a_store_without_a_cluster) { EXPECT_EQ(copy().error().code, Code::NotFound); }

}  // namespace
}  // namespace davit::app
