#include <algorithm>
#include <set>
#include <string>

#include "cli/commands.hpp"
#include "cli/filter.hpp"
#include "cli/listing.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

std::vector<std::string> const kKeys{"name", "status", "availability"};

Result<int> ls(Session& session, Invocation const& invocation) {
  TRY(auto const filters, parse_filters(invocation.all("filter"), kKeys));
  TRY(auto list, session.list_blocking("/nodes"));
  for (auto const& key : kKeys) {
    std::erase_if(*list.as_array(), [&](codec::Value const& node) { return !fits(filters, key, node.at(key).text()); });
  }
  TRY(int const code, show_list(session, invocation, list, nodes_table(list.items())));
  std::set<std::string> messages;  // of nodes that are held back all have the same
  for (auto const& node : list.items()) messages.emplace(node.at("message").text());
  messages.erase("");
  for (auto const& message : messages) print_note(message);
  return code;
}

}  // namespace

Command node_ls_command() {
  return {.path = {"node", "ls"},
          .summary = "List the nodes of the cluster.",
          .examples = {"davit node ls", "davit node ls --filter status=up -q"},
          .options = list_options(kKeys),
          .calls_server = true,
          .run = with_session(ls)};
}

}  // namespace davit::cli
