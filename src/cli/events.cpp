#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/event_stream.hpp"
#include "cli/views.hpp"
#include "codec/json.hpp"
#include "http/url.hpp"

namespace davit::cli {
namespace {

void print_event(ServerEvent const& event, bool as_json) {
  if (event.type == "reset") return print_note("some events were missed; what stands: davit service ls");
  auto const data = codec::parse_json(event.data);
  if (!data) return print_note(fmt::format("the server sent what is no JSON: {}", data.error().message));
  print_out((as_json ? codec::dump(*data) : event_line(*data)) + "\n");
}

Result<int> events(Session& session, Invocation const& invocation) {
  http::Query query;
  for (auto const* const name : {"service", "node", "type"}) {
    if (invocation.has(name)) query.emplace_back(name, invocation.text(name));
  }
  bool const as_json = session.wants_json();
  TRY_VOID(session.run_blocking(
      "events", async_follow_events(
                    &session, "/events" + http::encode_query(query), [as_json](ServerEvent const& event) { print_event(event, as_json); },
                    [](Error const& lost) { print_note(lost.message + "; trying again"); })));
  return 0;
}

}  // namespace

Command events_command() {
  return {.path = {"events"},
          .summary = "Print what happens in the cluster, as it happens.",
          .details = "With --output json a JSON document per line. A lost connection is made again, without a gap where the server can.",
          .examples = {"davit events", "davit events --service web", "davit events --type service.converged -o json"},
          .options = {{.name = "service", .value = "SERVICE", .help = "Only of this service."},
                      {.name = "node", .value = "NODE", .help = "Only of this node."},
                      {.name = "type", .value = "TYPE", .help = "Only of this type: instance.failed, node.down, …"}},
          .calls_server = true,
          .run = with_session(events)};
}

}  // namespace davit::cli
