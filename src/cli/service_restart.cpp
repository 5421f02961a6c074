// `service restart` and `service rollback`: a POST, then watching.
#include "cli/commands.hpp"
#include "cli/flag_values.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

Result<int> post_and_watch(Session& session, Invocation const& invocation, std::string_view verb, codec::Value body, bool is_rollback) {
  auto const started = session.now().monotonic;
  TRY_VOID(watch_options_of(invocation));
  TRY(auto const answer,
      session.call_blocking({.method = "POST", .target = service_path(invocation.words().front(), verb), .body = std::move(body)}));
  return finish_change(session, invocation, answer, started, is_rollback);
}

Result<int> restart(Session& session, Invocation const& invocation) { return post_and_watch(session, invocation, "/restart", {}, false); }

Result<int> rollback(Session& session, Invocation const& invocation) {
  codec::Value body;
  if (invocation.has("to-revision")) body.set("revision", number_or_text(invocation.text("to-revision")));
  return post_and_watch(session, invocation, "/rollback", std::move(body), true);
}

}  // namespace

Command service_restart_command() {
  return {.path = {"service", "restart"},
          .summary = "Replace a service's containers one by one with fresh ones of the same spec.",
          .examples = {"davit service restart web"},
          .positionals = {{.name = "SERVICE"}},
          .options = watch_options(),
          .calls_server = true,
          .run = with_session(restart)};
}

Command service_rollback_command() {
  Command command{.path = {"service", "rollback"},
                  .summary = "Go back to an earlier revision; the number of instances stays.",
                  .examples = {"davit service rollback web", "davit service history web      # what there is to go back to",
                               "davit service rollback --to-revision 2 web"},
                  .positionals = {{.name = "SERVICE"}},
                  .options = watch_options(),
                  .calls_server = true,
                  .run = with_session(rollback)};
  command.options.insert(command.options.begin(), {.name = "to-revision", .value = "N", .help = "This one; without it, the one before."});
  return command;
}

}  // namespace davit::cli
