// All invariants that hold whatever is played: one of each rule, told of what happens and asked to look from above. Runs and
// scenarios judge by the same. Lives as long as the cluster that it watches.
#pragma once

#include "sim/observers.hpp"
#include "sim/rules/acknowledgement_rule.hpp"
#include "sim/rules/admission_rule.hpp"
#include "sim/rules/answers.hpp"
#include "sim/rules/container_rule.hpp"
#include "sim/rules/double_rule.hpp"
#include "sim/rules/downing_rule.hpp"
#include "sim/rules/epoch_rule.hpp"
#include "sim/rules/fence_rule.hpp"
#include "sim/rules/journal_rule.hpp"
#include "sim/rules/lease_rule.hpp"
#include "sim/rules/order_rule.hpp"
#include "sim/rules/rollout_rule.hpp"
#include "sim/rules/silence_rule.hpp"
#include "sim/rules/takeover_rule.hpp"

namespace davit::sim {

class Rules {
 public:
  Rules(VirtualLoop& loop, Findings& findings, Observers& observers);

  void watch(Cluster& cluster);  // once, before it starts
  void look();                   // at what no event tells: now and then

  JournalRule const& journals() const { return journals_; }

 private:
  JournalRule journals_;
  Answers answers_;
  AcknowledgementRule acknowledgements_;
  EpochRule epochs_;
  AdmissionRule admissions_;
  ContainerRule containers_;
  OrderRule orders_;
  DoubleRule doubles_;
  DowningRule downings_;
  FenceRule fences_;
  LeaseRule leases_;
  RolloutRule rollouts_;
  SilenceRule silences_;
  TakeoverRule takeovers_;
};

}  // namespace davit::sim
