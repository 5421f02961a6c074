// Rule: what a user was told is done is in the journal by then, and as he was told (design.md §12.1), and nobody is told that the outcome
// is unknown, but where the owner itself does not answer: else it finds out (protocol.md §2). The journal itself loses nothing:
// journal_rule.hpp.
#pragma once

#include <string>

#include <fmt/core.h>

#include "core/master/answers.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class AcknowledgementRule final : public Observer {
 public:
  AcknowledgementRule(JournalRule const& journals, Findings& findings) : journals_(journals), findings_(findings) {}

  void on_acknowledged(std::string const& request, Result<model::Applied> const& outcome) override {
    bool const is_unknown = !outcome && outcome.error().code == Code::UnknownOutcome;
    if (is_unknown && outcome.error().message != master::kDeciderSilent && outcome.error().message != master::kStoreSilent)
      findings_.add("acknowledgement", fmt::format("request {} was answered, though its outcome was unknown", request));
    if (!outcome || outcome->unchanged) return;
    findings_.checked();
    auto const* done = journals_.find_request(request);
    if (!done) return findings_.add("acknowledgement", fmt::format("request {} was answered as done, and is not in the journal", request));
    if (done->generation != outcome->generation) {
      findings_.add("acknowledgement", fmt::format("request {} made generation {} of {}, and was answered with {}", request,
                                                   done->generation, done->service, outcome->generation));
    }
  }

 private:
  JournalRule const& journals_;
  Findings& findings_;
};

}  // namespace davit::sim
