// Rule: what a user was told is done is in the journal by then, and as he was told (design.md §12.1), and nobody is told that the outcome
// is unknown, but where the owner itself does not answer: else it finds out (protocol.md §2). The journal itself loses nothing:
// journal_rule.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <fmt/core.h>

#include "core/master/answers.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class AcknowledgementRule final : public Observer {
 public:
  AcknowledgementRule(JournalRule const& journals, Findings& findings) : journals_(journals), findings_(findings) {}

  void on_asked(std::string const& request, std::string const& service) override {
    auto const head = journals_.heads().find(service);
    if (head != journals_.heads().end()) asked_.emplace(request, Asked{service, head->second.uid, head->second.generation});
  }
  void on_acknowledged(std::string const& request, Result<model::Applied> const& outcome) override {
    bool const is_unknown = !outcome && outcome.error().code == Code::UnknownOutcome;
    if (is_unknown && outcome.error().message != master::kDeciderSilent && outcome.error().message != master::kStoreSilent)
      findings_.add("acknowledgement", fmt::format("request {} was answered, though its outcome was unknown", request));
    if (!outcome) return;
    findings_.checked();
    if (outcome->unchanged) return check_unchanged(request, *outcome);
    auto const* done = journals_.find_request(request);
    if (!done) return findings_.add("acknowledgement", fmt::format("request {} was answered as done, and is not in the journal", request));
    if (done->generation != outcome->generation) {
      findings_.add("acknowledgement", fmt::format("request {} made generation {} of {}, and was answered with {}", request,
                                                   done->generation, done->service, outcome->generation));
    }
  }

 private:
  struct Asked {
    std::string service;
    ServiceUid uid;
    std::uint64_t generation = 0;  // by then
  };

  // It answers of a state that held at some time since it was asked.
  void check_unchanged(std::string const& request, model::Applied const& outcome) {
    auto const found = asked_.find(request);
    if (found == asked_.end()) return;
    auto const& asked = found->second;
    auto const head = journals_.heads().find(asked.service);
    bool const is_another = head == journals_.heads().end() || head->second.uid != asked.uid;  // removed meanwhile
    if (is_another || outcome.generation >= asked.generation) return;
    findings_.add("acknowledgement",
                  fmt::format("request {} was answered as unchanged at generation {}, and generation {} was there when it was "
                              "asked",
                              request, outcome.generation, asked.generation));
  }

  JournalRule const& journals_;
  Findings& findings_;
  std::map<std::string, Asked> asked_;  // by request
};

}  // namespace davit::sim
