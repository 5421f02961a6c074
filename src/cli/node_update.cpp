// `node update`, `activate`, `mark-down` and `rm`: one small write for each node.
#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

// The same for each node that is named; what one refuses does not keep the others from it.
Result<int> write_each(Session& session, Invocation const& invocation, std::string_view method, std::string_view below,
                       codec::Value const& body) {
  Status worst;
  codec::Value answers{codec::Value::Array{}};
  for (auto const& name : invocation.words()) {
    auto answer = session.call_blocking({.method = std::string(method), .target = node_path(name, below), .body = body});
    if (!answer) {
      if (!worst) print_note(worst.error().message);
      worst = std::unexpected(answer.error());
      continue;
    }
    if (session.wants_json()) answers.push(std::move(answer->body));
    else print_out(name + "\n");
  }
  if (session.wants_json() && !answers.items().empty()) print_json(answers.items().size() == 1 ? answers.items().front() : answers);
  TRY_VOID(worst);
  return kConverged;
}

Result<int> update(Session& session, Invocation const& invocation) {
  auto labels = codec::Value::object();
  for (auto const& text : invocation.all("label-add")) {
    auto const equals = std::min(text.find('='), text.size());
    labels.set(text.substr(0, equals), equals == text.size() ? std::string{} : text.substr(equals + 1));
  }
  for (auto const& key : invocation.all("label-rm")) labels.set(key, codec::Value{});
  auto body = codec::Value::object();
  if (!labels.members().empty()) body.set("labels", std::move(labels));
  if (invocation.has("availability")) body.set("availability", invocation.text("availability"));
  if (body.members().empty()) return fail(Code::Invalid, "nothing to change: give --label-add, --label-rm or --availability");
  return write_each(session, invocation, "PATCH", {}, body);
}

Result<int> activate(Session& session, Invocation const& invocation) { return write_each(session, invocation, "POST", "/activate", {}); }

Result<int> mark_down(Session& session, Invocation const& invocation) {
  if (!invocation.is_on("yes")) {
    return fail(
        Code::Invalid,
        "what runs on a node that is marked down is started elsewhere; if the node lives on, it runs twice until it is back. Make sure "
        "that it is off, and say --yes");
  }
  return write_each(session, invocation, "POST", "/mark-down", {});
}

Result<int> rm(Session& session, Invocation const& invocation) { return write_each(session, invocation, "DELETE", {}, {}); }

}  // namespace

Command node_update_command() {
  return {.path = {"node", "update"},
          .summary = "Change a node's labels and availability.",
          .examples = {"davit node update --label-add disk=ssd n1", "davit node update --label-rm disk n1",
                       "davit node update --availability pause n1      # takes no new instances, keeps those it has"},
          .positionals = {{.name = "NODE"}},
          .options = {{.name = "label-add", .value = "KEY=VALUE", .help = "Set a label; may be given several times."},
                      {.name = "label-rm", .value = "KEY", .help = "Remove a label; may be given several times."},
                      {.name = "availability",
                       .value = "WORD",
                       .help = "active, pause (no new instances) or drain (those there are move away).",
                       .words = {"active", "pause", "drain"}}},
          .calls_server = true,
          .run = with_session(update)};
}

Command node_activate_command() {
  return {.path = {"node", "activate"},
          .summary = "Let nodes take instances again, after a drain or a pause.",
          .examples = {"davit node activate n1"},
          .positionals = {{.name = "NODE", .is_repeated = true}},
          .calls_server = true,
          .run = with_session(activate)};
}

Command node_mark_down_command() {
  return {
      .path = {"node", "mark-down"},
      .summary = "Declare by hand that a node is down, so that what ran on it is started elsewhere.",
      .details = "Davit does so itself, but for more nodes at once than the downing policy allows: then it holds, and leaves it to you.",
      .examples = {"davit node mark-down --yes n3"},
      .positionals = {{.name = "NODE", .is_repeated = true}},
      .options = {{.name = "yes", .help = "I know that the node is off."}},
      .calls_server = true,
      .run = with_session(mark_down)};
}

Command node_rm_command() {
  return {.path = {"node", "rm"},
          .summary = "Take nodes that are down out of the cluster.",
          .examples = {"davit node rm n3"},
          .positionals = {{.name = "NODE", .is_repeated = true}},
          .calls_server = true,
          .run = with_session(rm)};
}

}  // namespace davit::cli
