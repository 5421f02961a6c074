#include "sim/run/run.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "sim/observers.hpp"
#include "sim/rules/acknowledgement_rule.hpp"
#include "sim/rules/admission_rule.hpp"
#include "sim/rules/container_rule.hpp"
#include "sim/rules/double_rule.hpp"
#include "sim/rules/downing_rule.hpp"
#include "sim/rules/epoch_rule.hpp"
#include "sim/rules/fence_rule.hpp"
#include "sim/rules/final_state.hpp"
#include "sim/rules/journal_rule.hpp"
#include "sim/rules/order_rule.hpp"
#include "sim/rules/silence_rule.hpp"
#include "sim/rules/takeover_rule.hpp"
#include "sim/run/injector.hpp"
#include "sim/run/trace.hpp"
#include "sim/run/workload.hpp"

namespace davit::sim {
namespace {

constexpr Duration kStep = 500ms;  // between two looks from above
constexpr std::uint64_t kMostSteps = 200'000;  // at one instant
constexpr Duration kAtRest = 10s;  // as long as all has to stay well

class Run {
 public:
  explicit Run(RunOptions const& options)
      : options_(options),
        random_(options.seed),
        trace_(loop_, options.is_traced),
        journals_(loop_, findings_),
        acknowledgements_(journals_, findings_),
        epochs_(loop_, journals_, findings_),
        admissions_(findings_),
        containers_(findings_),
        orders_(journals_, findings_),
        doubles_(loop_, findings_),
        downings_(loop_, findings_),
        fences_(findings_),
        silences_(loop_, journals_, findings_),
        takeovers_(loop_, journals_, findings_),
        cluster_(loop_, options.size, random_.fork("cluster"), observers_),
        injector_(cluster_, observers_),
        workload_(cluster_, journals_, observers_, random_.fork("workload"), options.services) {
    admissions_.watch(cluster_);
    containers_.watch(cluster_);
    orders_.watch(cluster_);
    doubles_.watch(cluster_);
    downings_.watch(cluster_);
    epochs_.watch(cluster_);
    fences_.watch(cluster_);
    silences_.watch(cluster_);
    takeovers_.watch(cluster_);
    for (Observer* each : std::initializer_list<Observer*>{&trace_, &journals_, &acknowledgements_, &epochs_, &admissions_, &containers_,
                                                           &orders_, &doubles_, &downings_, &fences_, &silences_, &takeovers_})
      observers_.add(*each);
  }

  RunResult play() {
    auto faults = draw_faults(random_.fork("faults"), options_.safety_phase, options_.mean_gap);
    if (options_.only_faults) std::erase_if(faults, [&](Fault const& each) { return !options_.only_faults->contains(each.index); });
    cluster_.start();
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
    doubles_.look();
    silences_.look();
    takeovers_.look();
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
    if (reasons.empty()) reasons = differences(cluster_, journals_);
    return reasons;
  }

  RunOptions const& options_;
  Random random_;
  VirtualLoop loop_;
  Monotonic begin_ = loop_.now().monotonic;
  Findings findings_;
  Observers observers_;
  Trace trace_;
  JournalRule journals_;
  AcknowledgementRule acknowledgements_;
  EpochRule epochs_;
  AdmissionRule admissions_;
  ContainerRule containers_;
  OrderRule orders_;
  DoubleRule doubles_;
  DowningRule downings_;
  FenceRule fences_;
  SilenceRule silences_;
  TakeoverRule takeovers_;
  Cluster cluster_;
  Injector injector_;
  Workload workload_;
};

}  // namespace

RunResult run(RunOptions const& options) { return Run(options).play(); }

}  // namespace davit::sim
