#include "cli/commands.hpp"
#include "cli/filter.hpp"
#include "cli/listing.hpp"
#include "cli/service_labels.hpp"
#include "cli/views.hpp"

namespace davit::cli {
namespace {

std::vector<std::string> const kKeys{"name", "image", "state", "mode", "label"};

bool is_wanted(Filters const& filters, codec::Value const& service) {
  for (auto const& key : kKeys) {
    if (key != "label" && !fits(filters, key, service.at(key).text())) return false;
  }
  return true;
}

Result<int> ls(Session& session, Invocation const& invocation) {
  TRY(auto const filters, parse_filters(invocation.all("filter"), kKeys));
  TRY(auto list, session.list_blocking("/services"));
  std::erase_if(*list.as_array(), [&](codec::Value const& service) { return !is_wanted(filters, service); });
  for (auto const& [key, selector] : filters) {
    if (key == "label") TRY_VOID(keep_labelled(session, selector, list));
  }
  return show_list(session, invocation, list, services_table(list.items()));
}

}  // namespace

Command service_ls_command() {
  return {.path = {"service", "ls"},
          .summary = "List services.",
          .examples = {"davit service ls", "davit service ls --filter state=degraded", "davit service ls --filter label=tier=front -q"},
          .options = list_options(kKeys),
          .calls_server = true,
          .run = with_session(ls)};
}

}  // namespace davit::cli
