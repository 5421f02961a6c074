// `service inspect` and `node inspect`: what the server says, as JSON.
#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

// One as it is, several as an array.
Result<int> inspect(Session& session, Invocation const& invocation, std::function<std::string(std::string const&)> const& target_of) {
  codec::Value all{codec::Value::Array{}};
  for (auto const& name : invocation.words()) {
    TRY(auto answer, session.call_blocking({.target = target_of(name)}));
    all.push(std::move(answer.body));
  }
  print_json(all.items().size() == 1 ? all.items().front() : all);
  return 0;
}

Result<int> inspect_services(Session& session, Invocation const& invocation) {
  auto const query = invocation.is_on("defaults") ? "?defaults=true" : "";
  return inspect(session, invocation, [&](std::string const& name) { return service_path(name, query); });
}

Result<int> inspect_nodes(Session& session, Invocation const& invocation) {
  return inspect(session, invocation, [](std::string const& name) { return node_path(name); });
}

}  // namespace

Command service_inspect_command() {
  return {.path = {"service", "inspect"},
          .summary = "Show all about services, as JSON.",
          .examples = {"davit service inspect web", "davit service inspect --defaults web | jq .spec"},
          .positionals = {{.name = "SERVICE", .is_repeated = true}},
          .options = {{.name = "defaults", .help = "The spec with the defaults that it leaves out."}},
          .calls_server = true,
          .run = with_session(inspect_services)};
}

Command node_inspect_command() {
  return {.path = {"node", "inspect"},
          .summary = "Show all about nodes, as JSON.",
          .examples = {"davit node inspect n1"},
          .positionals = {{.name = "NODE", .is_repeated = true}},
          .calls_server = true,
          .run = with_session(inspect_nodes)};
}

}  // namespace davit::cli
