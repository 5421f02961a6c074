// How many journal appends (protocol.md §2: two compares, event and head written, an old event dropped) the SQLite store
// acknowledges per second on this disk: alone, and with many in flight. Prints one line for each; takes the folder as argument.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "adapters/store_sqlite/sqlite_store.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::bench {
namespace {

constexpr std::size_t kEventBytes = 300;
constexpr std::size_t kHeadBytes = 2000;
constexpr std::int64_t kEventsKept = 64;
constexpr Duration kMeasuringTime = 5s;

// One service's journal: at most one append in flight, as its owner does it.
class Appender {
 public:
  Appender(ports::Store& store, int service, std::int64_t& appends)
      : store_(store),
        root_(fmt::format("davit/v1/services/{}/service-{}/", service % 128, service)),
        appends_(appends) {}

  void append() {
    auto const event = [this](std::int64_t n) { return fmt::format("{}events/{:012}", root_, n); };
    ports::Commit commit{.compares = {{.key = root_ + "head", .target = ports::Compare::Target::Version, .value = events_},
                                      {.key = "davit/v1/shards/1", .target = ports::Compare::Target::ModRevision, .value = 0}},
                         .operations = {ports::Put{.key = event(events_), .value = std::string(kEventBytes, 'e'), .lease = 0},
                                        ports::Put{.key = root_ + "head", .value = std::string(kHeadBytes, 'h'), .lease = 0}}};
    if (events_ >= kEventsKept) commit.operations.emplace_back(ports::Erase{.key = event(events_ - kEventsKept)});
    store_.commit(std::move(commit), kNever, [this](Result<ports::Committed> answer) {
      if (!answer || !answer->succeeded) {
        fmt::print(stderr, "an append failed: {}\n", answer ? "a compare did not hold" : answer.error().message);
        std::exit(EXIT_FAILURE);
      }
      ++events_;
      ++appends_;
      append();
    });
  }

 private:
  ports::Store& store_;
  std::string root_;
  std::int64_t& appends_;
  std::int64_t events_ = 0;
};

bool measure(std::filesystem::path const& folder, int in_flight) {
  auto const file = folder / fmt::format("store-bench-{}.db", in_flight);
  runtime::AsioLoop loop;
  std::int64_t appends = 0;
  {
    auto const store = store_sqlite::SqliteStore::open(loop, file);
    if (!store) {
      fmt::print(stderr, "{}\n", store.error().message);
      return false;
    }
    std::vector<Appender> appenders;
    appenders.reserve(static_cast<std::size_t>(in_flight));
    for (int i = 0; i < in_flight; ++i) appenders.emplace_back(**store, i, appends);
    for (auto& appender : appenders) appender.append();
    loop.run_until([] { return false; }, kMeasuringTime);
    (*store)->stop();
  }
  fmt::print("journal appends with {:3} in flight: {:7.0f}/s\n", in_flight, static_cast<double>(appends) / (kMeasuringTime / 1s));
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return true;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) {
  std::filesystem::path const folder = argc > 1 ? argv[1] : ".";
  for (int const in_flight : {1, 8, 128})
    if (!davit::bench::measure(folder, in_flight)) return EXIT_FAILURE;
}
