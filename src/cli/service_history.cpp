#include "cli/commands.hpp"
#include "cli/listing.hpp"
#include "cli/paths.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

Result<int> history(Session& session, Invocation const& invocation) {
  TRY(auto const list, session.list_blocking(service_path(invocation.words().front(), "/history")));
  return show_list(session, invocation, list, history_table(list.items()));
}

}  // namespace

Command service_history_command() {
  return {.path = {"service", "history"},
          .summary = "List what was changed in a service, and when.",
          .examples = {"davit service history web"},
          .positionals = {{.name = "SERVICE"}},
          .options = list_options({}),
          .calls_server = true,
          .run = with_session(history)};
}

}  // namespace davit::cli
