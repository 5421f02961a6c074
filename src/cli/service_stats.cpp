#include "cli/commands.hpp"
#include "cli/listing.hpp"
#include "cli/paths.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

Result<int> stats(Session& session, Invocation const& invocation) {
  codec::Value all{codec::Value::Array{}};
  for (auto const& name : invocation.words()) {
    TRY(auto list, session.list_blocking(service_path(name, "/instances")));
    for (auto& instance : *list.as_array()) all.push(std::move(instance));
  }
  return show_list(session, invocation, all, use_table(all.items()));
}

}  // namespace

Command service_stats_command() {
  return {.path = {"service", "stats"},
          .summary = "Show what the instances of services use, as measured each ten seconds.",
          .details = "CPU is of one core: 150% are one and a half.",
          .examples = {"davit service stats web"},
          .positionals = {{.name = "SERVICE", .is_repeated = true}},
          .options = list_options({}),
          .calls_server = true,
          .run = with_session(stats)};
}

}  // namespace davit::cli
