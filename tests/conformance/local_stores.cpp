// The stores that need nothing outside this process, and the suites for them.
#include "adapters/store_sqlite/sqlite_store.hpp"
#include "base/check.hpp"
#include "conformance/store_suite.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::conformance {
namespace {

class SqliteHarness final : public StoreHarness {
 public:
  SqliteHarness() : folder_(std::make_unique<TemporaryFolder>()) { open(folder_->path() / "store.db"); }
  explicit SqliteHarness(std::filesystem::path const& file) { open(file); }
  ports::Store& store() override { return *store_; }
  ports::Loop& loop() override { return loop_; }
  bool run_until(std::function<bool()> const& condition) override { return loop_.run_until(condition, kPatience); }

 private:
  void open(std::filesystem::path const& file) {
    auto store = store_sqlite::SqliteStore::open(loop_, file);
    CHECK(store.has_value(), "{}", store.error().message);
    store_ = *std::move(store);
  }

  std::unique_ptr<TemporaryFolder> folder_;
  runtime::AsioLoop loop_;
  std::unique_ptr<store_sqlite::SqliteStore> store_;
};

auto const kStores = testing::Values(Implementation{"memory", make_memory_harness}, Implementation{"sqlite", make_sqlite_harness});
std::string name_of(testing::TestParamInfo<Implementation> const& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Stores, StoreSuite, kStores, name_of);
INSTANTIATE_TEST_SUITE_P(Stores, StoreWatchSuite, kStores, name_of);
INSTANTIATE_TEST_SUITE_P(Stores, StoreOrderSuite, kStores, name_of);

}  // namespace

std::unique_ptr<StoreHarness> make_sqlite_harness() { return std::make_unique<SqliteHarness>(); }
std::unique_ptr<StoreHarness> make_sqlite_harness(std::filesystem::path const& file) { return std::make_unique<SqliteHarness>(file); }

}  // namespace davit::conformance
