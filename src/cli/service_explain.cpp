#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

Result<int> explain(Session& session, Invocation const& invocation) {
  auto const& name = invocation.words().front();
  TRY(auto const answer, session.call_blocking({.target = service_path(name, "/explain")}));
  if (session.wants_json()) print_json(answer.body);
  else print_out(explanation_text(name, answer.body, session.now().wall));
  return 0;
}

}  // namespace

Command service_explain_command() {
  return {.path = {"service", "explain"},
          .summary = "Say why instances of a service have no node and what would let them fit, or where the next one would go and why.",
          .examples = {"davit service explain db"},
          .positionals = {{.name = "SERVICE"}},
          .calls_server = true,
          .run = with_session(explain)};
}

}  // namespace davit::cli
