#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/spec_flags.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

constexpr int kMostConflicts = 10;

Status edit(Invocation const& invocation, codec::Value& spec) {
  if (invocation.has("image")) spec.set("image", invocation.text("image"));
  if (invocation.has("args")) spec.set("command", invocation.text("args"));
  return apply_flags(invocation, spec);
}

// Reads, edits and writes; from the start when somebody else wrote in between.
Result<Answer> edit_service(Session& session, Invocation const& invocation) {
  auto const path = service_path(invocation.words().front());
  auto const query = invocation.is_on("dry-run") ? "?replace=true&dry_run=true" : "?replace=true";
  for (int conflicts = 0;; ++conflicts) {
    TRY(auto const before, session.call_blocking({.target = path}));
    auto spec = before.body.at("spec");
    TRY_VOID(edit(invocation, spec));
    auto written = session.call_blocking(
        {.method = "PUT", .target = path + query, .body = std::move(spec), .if_match = before.etag(), .place_name = flag_of_pointer});
    if (!written && written.error().code == Code::Stale && conflicts < kMostConflicts) continue;
    if (!written || !invocation.is_on("force") || invocation.is_on("dry-run")) return written;
    if (!(written->body.at("revision") == before.body.at("revision"))) return written;  // its containers are replaced anyway
    return session.call_blocking({.method = "POST", .target = path + "/restart"});
  }
}

Result<int> update(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  TRY_VOID(watch_options_of(invocation));
  TRY(auto const answer, edit_service(session, invocation));
  if (!invocation.is_on("dry-run")) return finish_change(session, invocation, answer, started);
  print_warnings(answer.body, flag_of_pointer);
  print_json(answer.body);
  return 0;
}

}  // namespace

Command service_update_command() {
  Command command{.path = {"service", "update"},
                  .summary = "Change a service: only what the flags name.",
                  .details =
                      "What changes the containers replaces them one by one (see --update-…); a label, a limit of restarts or the "
                      "number of instances replaces none.",
                  .examples = {"davit service update --image nginx:1.28 web", "davit service update --env-add MODE=fast --env-rm DEBUG web",
                               "davit service update --publish-rm 80 --publish-add 8080:80 web", "davit service update --force web"},
                  .positionals = {{.name = "SERVICE"}},
                  .options = {{.name = "image", .value = "IMAGE", .help = std::string(doc_of_field("image"))},
                              {.name = "args", .value = "COMMAND", .help = "The container's command; split as by a shell."},
                              {.name = "force", .help = "Replace the containers even if nothing changes."}},
                  .calls_server = true,
                  .run = with_session(update)};
  for (auto const& option : spec_options(true)) command.options.push_back(option);
  for (auto const& option : watch_options()) command.options.push_back(option);
  command.options.push_back({.name = "dry-run", .help = "Show what would become of it, and change nothing."});
  return command;
}

}  // namespace davit::cli
