#include "cli/commands.hpp"
#include "cli/filter.hpp"
#include "cli/listing.hpp"
#include "cli/paths.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

std::vector<std::string> const kKeys{"node", "state", "slot", "revision"};

std::string cell(codec::Value const& value) { return value.as_int() ? std::to_string(*value.as_int()) : std::string(value.text()); }

Result<int> ps(Session& session, Invocation const& invocation) {
  TRY(auto const filters, parse_filters(invocation.all("filter"), kKeys));
  codec::Value all{codec::Value::Array{}};
  for (auto const& name : invocation.words()) {
    TRY(auto list, session.list_blocking(service_path(name, "/instances")));
    for (auto& instance : *list.as_array()) {
      bool is_wanted = true;
      for (auto const& key : kKeys) is_wanted = is_wanted && fits(filters, key, cell(instance.at(key)));
      if (is_wanted) all.push(std::move(instance));
    }
  }
  auto const table = instances_table(all.items(), session.now().wall, invocation.is_on("no-trunc"));
  return show_list(session, invocation, all, table);
}

}  // namespace

Command service_ps_command() {
  Command command{.path = {"service", "ps"},
                  .summary = "List the instances of services: where they run, how they are, and why not.",
                  .examples = {"davit service ps web", "davit service ps --filter node=n2 web db"},
                  .positionals = {{.name = "SERVICE", .is_repeated = true}},
                  .options = list_options(kKeys),
                  .calls_server = true,
                  .run = with_session(ps)};
  command.options.push_back({.name = "no-trunc", .help = "Whole ids."});
  return command;
}

}  // namespace davit::cli
