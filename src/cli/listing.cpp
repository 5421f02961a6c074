#include "cli/listing.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace davit::cli {

std::vector<Option> list_options(std::vector<std::string> const& filter_keys) {
  std::vector<Option> options{
      {.name = "format", .value = "TEMPLATE", .help = "A line for each by a template of columns: '{{.Name}} {{.State}}'."},
      {.name = "quiet", .letter = 'q', .help = "Only the first column."}};
  if (filter_keys.empty()) return options;
  auto help = fmt::format("Only those with this value of {}; may be repeated.", fmt::join(filter_keys, ", "));
  options.insert(options.begin(), {.name = "filter", .letter = 'f', .value = "KEY=VALUE", .help = std::move(help)});
  return options;
}

Result<int> show_list(Session& session, Invocation const& invocation, codec::Value const& list, Table const& table) {
  if (session.wants_json() || invocation.text("format") == "json") {
    print_json(list);
  } else if (invocation.is_on("quiet")) {
    print_out(table.render_first_column());
  } else if (invocation.has("format")) {
    TRY(auto const text, table.render(invocation.text("format")));
    print_out(text);
  } else {
    print_out(table.render());
  }
  return 0;
}

}  // namespace davit::cli
