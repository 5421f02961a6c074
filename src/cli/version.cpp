#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/problem_text.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

using codec::Value;

// Who does not answer is told as such: this command is what one runs to find that out.
Value server_of(Session& session) {
  auto const answer = session.call_blocking({.target = "/version"});
  if (!answer) return Value::object({{"error", answer.error().message}});
  return Value::object({{"version", answer->body.at("version").text()}, {"endpoint", to_string(session.endpoint())}});
}

Value engines_of(Session& session) {
  Value engines{Value::Array{}};
  auto const nodes = session.list_blocking("/nodes");
  if (!nodes) return engines;
  for (auto const& node : nodes->items()) {
    engines.push(
        Value::object({{"node", node.at("name")}, {"version", node.at("engine").at("version")}, {"api", node.at("engine").at("api")}}));
  }
  return engines;
}

Result<int> version(Session& session, std::string const& own) {
  auto const server = server_of(session);
  auto const error = server.at("error").text();
  auto const engines = error.empty() ? engines_of(session) : Value(Value::Array{});
  if (session.wants_json()) {
    print_json(Value::object({{"client", Value::object({{"version", own}})}, {"server", server}, {"engines", engines}}));
    return 0;
  }
  print_out(fmt::format("Client: {}\n", own));
  if (!error.empty()) print_out(fmt::format("Server: not reached: {}\n", error));
  else print_out(escape_text(fmt::format("Server: {} at {}", server.at("version").text(), server.at("endpoint").text())) + "\n");
  for (auto const& engine : engines.items()) {
    print_out(escape_text(fmt::format("Engine: {} (API {}) on {}", engine.at("version").text(), engine.at("api").text(),
                                      engine.at("node").text())) +
              "\n");
  }
  return 0;
}

}  // namespace

Command version_command(std::string own) {
  return {.path = {"version"},
          .summary = "Show the versions of this program, the server and the engines.",
          .examples = {"davit version", "davit version -o json"},
          .calls_server = true,
          .run = with_session([own = std::move(own)](Session& session, Invocation const&) { return version(session, own); })};
}

}  // namespace davit::cli
