#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

using codec::Value;

constexpr Duration kLook = 1s;

std::string table_of(Value const& moves) {
  Table table({"NAME", "ID", "FROM", "TO"});
  for (auto const& move : moves.items()) {
    table.add({fmt::format("{}.{}", move.at("service").text(), move.at("slot").as_int().value_or(0)),
               std::string(move.at("instance").text().substr(0, 8)), std::string(move.at("from").text()),
               std::string(move.at("to").text())});
  }
  return table.render();
}

// How many of the instances that are to move are still there.
Result<std::size_t> count_left(Session& session, Value const& moves) {
  std::set<std::string> services;
  for (auto const& move : moves.items()) services.insert(std::string(move.at("service").text()));
  std::set<std::string> there;
  for (auto const& service : services) {
    auto const instances = session.list_blocking(service_path(service, "/instances"));
    if (!instances && instances.error().code == Code::NotFound) continue;
    if (!instances) return std::unexpected(instances.error());
    for (auto const& instance : instances->items()) there.insert(std::string(instance.at("id").text()));
  }
  std::size_t left = 0;
  for (auto const& move : moves.items()) left += there.contains(std::string(move.at("instance").text())) ? 1 : 0;
  return left;
}

Result<int> watch_moves(Session& session, Value const& moves, Duration timeout) {
  auto const is_interrupted = std::make_shared<bool>(false);
  session.loop().on_signals({SIGINT}, [is_interrupted](int) { *is_interrupted = true; });
  auto const until = session.now().monotonic + timeout;
  std::size_t told = 0;
  for (;;) {
    TRY(auto const left, count_left(session, moves));
    if (left == 0) {
      print_note("all moved");
      return kConverged;
    }
    if (left != std::exchange(told, left)) print_note(fmt::format("{} {} to move", left, left == 1 ? "instance" : "instances"));
    session.wait_blocking([&] { return *is_interrupted; }, std::min(until, session.now().monotonic + kLook));
    if (*is_interrupted) {
      print_note("stopped watching; the moves go on");
      return kInterrupted;
    }
    if (session.now().monotonic >= until) {
      print_note(fmt::format("{} still where they were; one that cannot move within ten minutes stays there", left));
      return kNotConverged;
    }
  }
}

// True: all were taken on.
bool print_errors(Value const& moves) {
  std::set<std::string> told;
  for (auto const& move : moves.items()) {
    auto const error = std::string(move.at("error").text());
    if (!error.empty() && told.insert(error).second) print_note(fmt::format("service {}: {}", move.at("service").text(), error));
  }
  return told.empty();
}

Result<int> rebalance(Session& session, Invocation const& invocation) {
  TRY(auto const options, watch_options_of(invocation));
  bool const is_dry_run = invocation.is_on("dry-run");
  auto target = fmt::format("/rebalance?dry_run={}", is_dry_run);
  if (invocation.has("max-moves")) target += "&max_moves=" + http::percent_encode(invocation.text("max-moves"));
  TRY(auto const answer, session.call_blocking({.method = "POST", .target = target}));
  auto const& moves = answer.body.at("moves");
  if (session.wants_json()) print_json(answer.body);
  else if (moves.items().empty()) print_note("nothing to move: no instance would stand better on another node");
  else print_out(table_of(moves));
  if (!print_errors(moves)) return kRefused;
  if (is_dry_run || options.detach || moves.items().empty()) return kConverged;
  return watch_moves(session, moves, options.timeout);
}

}  // namespace

Command rebalance_command() {
  auto options = watch_options();
  options.push_back({.name = "dry-run", .help = "Show what would move, and move nothing."});
  options.push_back({.name = "max-moves", .value = "NUMBER", .help = "Move at most so many instances (10)."});
  return {.path = {"rebalance"},
          .summary = "Move instances to nodes that carry less, as after a node has joined.",
          .details =
              "It goes by reservations, or by a mean where there are none, and moves an instance only where a lasting difference "
              "gets smaller. The new instance starts first where the service allows it, and within its update_config.parallelism. "
              "Services with the strategy binpack, with an update under way or with a volume on their node stay as they are.",
          .examples = {"davit rebalance --dry-run", "davit rebalance --max-moves 20"},
          .options = std::move(options),
          .calls_server = true,
          .run = with_session(rebalance)};
}

}  // namespace davit::cli
