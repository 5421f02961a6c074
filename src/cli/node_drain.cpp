#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/flag_values.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

constexpr Duration kLook = 1s;

// Says how many are left whenever that changes. Ctrl-C ends the watching, not the drain.
Result<int> watch_drain(Session& session, std::string const& name, Monotonic until, bool const& is_interrupted) {
  std::int64_t told = -1;
  for (;;) {
    TRY(auto const answer, session.call_blocking({.target = node_path(name)}));
    auto const left = answer.body.at("instances").as_int().value_or(0);
    if (left == 0) {
      print_note(fmt::format("{}: drained; davit node activate {} takes it back", name, name));
      return kConverged;
    }
    if (answer.body.at("availability").text() != "drain") return fail(Code::Stale, fmt::format("{}: somebody ended the drain", name));
    if (left != std::exchange(told, left)) print_note(fmt::format("{}: {} {} to move", name, left, left == 1 ? "instance" : "instances"));
    session.wait_blocking([&] { return is_interrupted; }, std::min(until, session.now().monotonic + kLook));
    if (is_interrupted) {
      print_note(fmt::format("stopped watching; the drain goes on: davit node inspect {}", name));
      return kInterrupted;
    }
    if (session.now().monotonic >= until) {
      print_note(fmt::format("{}: {} still there; davit service ls says what cannot move, and the drain goes on", name, left));
      return kNotConverged;
    }
  }
}

Result<int> drain(Session& session, Invocation const& invocation) {
  TRY(auto const options, watch_options_of(invocation));
  for (auto const& name : invocation.words()) {
    TRY_VOID(session.call_blocking({.method = "POST", .target = node_path(name, "/drain")}));
    if (options.detach) print_out(name + "\n");
  }
  if (options.detach) return kConverged;
  int worst = kConverged;
  auto const is_interrupted = std::make_shared<bool>(false);
  session.loop().on_signals({SIGINT}, [is_interrupted](int) { *is_interrupted = true; });
  auto const until = session.now().monotonic + options.timeout;
  for (auto const& name : invocation.words()) {
    TRY(int const code, watch_drain(session, name, until, *is_interrupted));
    worst = std::max(worst, code);
    if (code == kInterrupted) break;
  }
  return worst;
}

}  // namespace

Command node_drain_command() {
  return {.path = {"node", "drain"},
          .summary = "Move all instances off nodes, and wait until the last one is gone.",
          .details =
              "The new instance starts first where the service allows it. One that fits on no other node stays where it is. davit node "
              "activate takes the node back.",
          .examples = {"davit node drain n1", "davit node drain -d n1 n2"},
          .positionals = {{.name = "NODE", .is_repeated = true}},
          .options = watch_options(),
          .calls_server = true,
          .run = with_session(drain)};
}

}  // namespace davit::cli
