// What the store's benchmarks do: journals as their owners write them (protocol.md §2: two compares, event and head written, an old event
// dropped), one append of each in flight.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "ports/store.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::bench {

inline constexpr std::size_t kEventBytes = 300;
inline constexpr std::size_t kHeadBytes = 2000;
inline constexpr std::int64_t kEventsKept = 64;
inline constexpr Duration kMeasuringTime = 5s;

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

// Prints one line.
inline void measure_appends(runtime::AsioLoop& loop, ports::Store& store, int in_flight) {
  std::int64_t appends = 0;
  std::vector<Appender> appenders;
  appenders.reserve(static_cast<std::size_t>(in_flight));
  for (int i = 0; i < in_flight; ++i) appenders.emplace_back(store, i, appends);
  for (auto& appender : appenders) appender.append();
  loop.run_until([] { return false; }, kMeasuringTime);
  store.stop();
  fmt::print("journal appends with {:3} in flight: {:7.0f}/s\n", in_flight, static_cast<double>(appends) / (kMeasuringTime / 1s));
}

}  // namespace davit::bench
