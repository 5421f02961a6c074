#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/flag_values.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/spec_flags.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

// All are asked before the first is watched.
Result<int> scale(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  TRY_VOID(watch_options_of(invocation));
  for (auto const& word : invocation.words()) {
    if (!word.contains('=')) return fail(Code::Invalid, fmt::format("{} has no number; write it as {}=3", word, word));
  }
  std::vector<Answer> answers;
  for (auto const& word : invocation.words()) {
    auto const equals = word.find('=');
    auto body = codec::Value::object({{"instances", number_or_text(std::string_view(word).substr(equals + 1))}});
    TRY(auto answer, session.call_blocking({.method = "PATCH",
                                            .target = service_path(std::string_view(word).substr(0, equals)),
                                            .body = std::move(body),
                                            .place_name = flag_of_pointer}));
    answers.push_back(std::move(answer));
  }
  int worst = 0;
  for (auto const& answer : answers) {
    TRY(int const code, finish_change(session, invocation, answer, started));
    worst = std::max(worst, code);
    if (code == kInterrupted) break;
  }
  return worst;
}

}  // namespace

Command service_scale_command() {
  return {.path = {"service", "scale"},
          .summary = "Set how many instances services run.",
          .examples = {"davit service scale web=5", "davit service scale web=5 worker=0"},
          .positionals = {{.name = "SERVICE=N", .is_repeated = true}},
          .options = watch_options(),
          .calls_server = true,
          .run = with_session(scale)};
}

}  // namespace davit::cli
