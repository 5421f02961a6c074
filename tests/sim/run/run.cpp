#include "sim/run/run.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "sim/observers.hpp"
#include "sim/rules/final_state.hpp"
#include "sim/rules/rules.hpp"
#include "sim/run/injector.hpp"
#include "sim/run/trace.hpp"
#include "sim/run/workload.hpp"

namespace davit::sim {
namespace {

constexpr Duration kStep = 500ms;  // between two looks from above
constexpr std::uint64_t kMostSteps = 200'000;  // at one instant
constexpr Duration kAtRest = 10s;  // as long as all has to stay well

// The usual one in most runs.
cluster::DowningPolicy draw_policy(Random random) {
  using enum cluster::DowningPolicy::Kind;
  switch (random.below(8)) {
    case 0: return {Never};
    case 1: return {Any};
    case 2: return {Quorum, static_cast<std::uint32_t>(1 + random.below(8))};
    default: return {Majority};
  }
}

class Run {
 public:
  explicit Run(RunOptions const& options)
      : options_(options),
        random_(options.seed),
        trace_(loop_, options.is_traced),
        rules_(loop_, findings_, observers_),
        cluster_(loop_, options.size, random_.fork("cluster"), observers_, draw_policy(random_.fork("downing"))),
        injector_(cluster_, observers_),
        workload_(cluster_, rules_.journals(), observers_, random_.fork("workload"), options.services) {
    rules_.watch(cluster_);
    observers_.add(trace_);
  }

  RunResult play() {
    auto faults = draw_faults(random_.fork("faults"), options_.safety_phase, options_.mean_gap);
    if (options_.only_faults) std::erase_if(faults, [&](Fault const& each) { return !options_.only_faults->contains(each.index); });
    cluster_.start_by_and_by(options_.safety_phase / 2);
    workload_.start();
    injector_.schedule(faults);
    while (findings_.empty() && elapsed() < options_.safety_phase) advance();
    if (findings_.empty()) come_to_rest();

    RunResult result{.finding = findings_.first(),
                     .hash = trace_.hash(),
                     .simulated = elapsed(),
                     .faults = {},
                     .injected = injector_.injected(),
                     .checks = findings_.checks(),
                     .answers = workload_.answered()};
    for (auto const& fault : faults) result.faults.push_back(fault.index);
    return result;
  }

 private:
  Duration elapsed() const { return loop_.now().monotonic - begin_; }

  void advance() {
    if (!loop_.try_advance(kStep, kMostSteps))
      findings_.add("spin", fmt::format("after {} some process never rests", format_duration(elapsed())));
    rules_.look();
  }

  void come_to_rest() {
    observers_.on_fault("no more faults");
    workload_.settle();
    Duration well_since = elapsed();
    std::vector<std::string> reasons;
    while (findings_.empty()) {
      advance();
      reasons = what_is_not_well();
      if (!reasons.empty()) well_since = elapsed();
      if (elapsed() - well_since >= kAtRest) return;
      if (elapsed() >= options_.safety_phase + options_.liveness_phase && !reasons.empty())
        findings_.add("liveness",
                      fmt::format("after {} without faults: {}", format_duration(options_.liveness_phase), fmt::join(reasons, "; ")));
    }
  }

  std::vector<std::string> what_is_not_well() {
    auto reasons = workload_.pending();
    if (reasons.empty()) reasons = cluster_.pending();
    if (reasons.empty()) reasons = differences(cluster_, rules_.journals());
    return reasons;
  }

  RunOptions const& options_;
  Random random_;
  VirtualLoop loop_;
  Monotonic begin_ = loop_.now().monotonic;
  Findings findings_;
  Observers observers_;
  Trace trace_;
  Rules rules_;
  Cluster cluster_;
  Injector injector_;
  Workload workload_;
};

}  // namespace

RunResult run(RunOptions const& options) { return Run(options).play(); }

}  // namespace davit::sim
