// `service pause` and `service resume`: of the update that is under way.
#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/problem_text.hpp"
#include "cli/session.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

Result<Answer> post(Session& session, Invocation const& invocation, std::string_view verb) {
  return session.call_blocking({.method = "POST", .target = service_path(invocation.words().front(), verb)});
}

Result<int> pause(Session& session, Invocation const& invocation) {
  TRY(auto const answer, post(session, invocation, "/pause"));
  if (session.wants_json()) print_json(answer.body);
  else print_out(fmt::format("{}: {}\n", answer.body.at("name").text(), escape_text(answer.body.at("status").at("message").text())));
  return kConverged;
}

Result<int> resume(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  TRY_VOID(watch_options_of(invocation));
  TRY(auto const answer, post(session, invocation, "/resume"));
  bool const is_rollback = answer.body.at("status").at("state").text() == "rolling_back";
  return finish_change(session, invocation, answer, started, is_rollback);
}

}  // namespace

Command service_pause_command() {
  return {.path = {"service", "pause"},
          .summary = "Hold an update: what it has begun is finished, nothing more is begun.",
          .examples = {"davit service pause web", "davit service resume web"},
          .positionals = {{.name = "SERVICE"}},
          .calls_server = true,
          .run = with_session(pause)};
}

Command service_resume_command() {
  return {.path = {"service", "resume"},
          .summary = "Go on with an update that was paused, or that stopped because new instances failed.",
          .examples = {"davit service resume web"},
          .positionals = {{.name = "SERVICE"}},
          .options = watch_options(),
          .calls_server = true,
          .run = with_session(resume)};
}

}  // namespace davit::cli
