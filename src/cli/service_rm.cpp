#include <algorithm>

#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

Result<int> rm(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  TRY(auto const options, watch_options_of(invocation));
  std::vector<codec::Value> removed;
  for (auto const& name : invocation.words()) {
    TRY(auto answer, session.call_blocking({.method = "DELETE", .target = service_path(name)}));
    auto service = answer.body.as_object() ? std::move(answer.body) : codec::Value::object();
    service.set("name", name);
    removed.push_back(std::move(service));
    if (options.detach) print_out(name + "\n");
  }
  int worst = 0;
  for (auto const& service : removed) {
    if (options.detach) break;
    TRY(int const code, watch_removal(session, service, options, started));
    worst = std::max(worst, code);
    if (code == kInterrupted) break;
  }
  return worst;
}

}  // namespace

Command service_rm_command() {
  return {.path = {"service", "rm"},
          .summary = "Remove services, and wait until their last container is gone.",
          .examples = {"davit service rm web", "davit service rm -d web worker"},
          .positionals = {{.name = "SERVICE", .is_repeated = true}},
          .options = watch_options(),
          .calls_server = true,
          .run = with_session(rm)};
}

}  // namespace davit::cli
