#include "api/rebalance.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "api/answer.hpp"
#include "api/carry_out.hpp"
#include "api/event_log.hpp"
#include "api/problem.hpp"
#include "api/request_body.hpp"
#include "api/request_options.hpp"
#include "api/service_reads.hpp"
#include "model/problem.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr Duration kBeginLimit = 30s;
constexpr Duration kLook = 500ms;

using codec::Value;
using Moves = std::vector<master::PlannedMove>;

bool is_done(master::Master const& master, master::PlannedMove const& move) {
  auto const* service = master.find_service(move.service);
  return !service || !service->find(move.slot, move.id);
}

// An empty `error`: its owner has taken it on.
Value render(master::Master const& master, master::PlannedMove const& move, std::string const& error) {
  return Value::object({{"service", move.service},
                        {"slot", move.slot},
                        {"instance", to_string(move.id)},
                        {"from", master.node(move.from)->record.name},
                        {"to", master.node(move.to)->record.name},
                        {"done", is_done(master, move)},
                        {"error", error}});
}

http::Response render(Call const& call, Moves const& moves, bool is_dry_run, std::map<std::string, std::string> const& errors) {
  Value::Array list;
  for (auto const& move : moves) {
    auto const error = errors.find(move.service);
    list.push_back(render(call.context.master(), move, error == errors.end() ? "" : error->second));
  }
  auto response = answer(200, Value::object({{"dry_run", is_dry_run}, {"moves", std::move(list)}}));
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  return response;
}

// What each service's owner said; one that took its moves on has no entry.
asio::awaitable<std::map<std::string, std::string>> async_begin(Call call, Moves moves) {
  std::map<std::string, model::Move> by_service;
  for (auto const& move : moves) {
    by_service[move.service].targets.push_back({move.slot, move.id, call.context.master().node(move.to)->record.id});
  }
  std::map<std::string, std::string> errors;
  auto const limit = call.context.loop.now().monotonic + kBeginLimit;
  for (auto const& [service, move] : by_service) {
    if (call.context.loop.now().monotonic >= limit) {
      errors[service] = "not begun, because others took too long; ask again";
      continue;
    }
    auto const applied = co_await async_apply(call, command_of(call, {}, service, move));
    if (!applied) errors[service] = applied.error().message;
  }
  co_return errors;
}

asio::awaitable<void> async_until_done(Context* context, Moves moves, Monotonic deadline) {
  runtime::Wakeup news(context->loop);
  auto const subscription = context->events.subscribe([&news] { news.notify(); });
  while (!std::ranges::all_of(moves, [&](auto const& move) { return is_done(context->master(), move); })) {
    auto const now = context->loop.now().monotonic;
    if (now >= deadline) co_return;
    co_await news.async_wait_until(std::min(deadline, now + kLook));  // the last step of a move is no event
  }
}

}  // namespace

asio::awaitable<http::Response> async_rebalance(Call call) {
  if (auto refused = refuse_early_read(call)) co_return *std::move(refused);
  auto const body = read_object(call.request, Media::Json, Empty::Allowed);
  if (!body) co_return body.error();
  if (!body->members().empty()) {
    co_return problem_at(problem_kind::kInvalidRequest, "#/" + model::pointer_token(body->members().front().key),
                         model::problem_code::kUnknownField, "no such field: this takes none; there is ?max_moves=");
  }
  auto const options = read_write_options(call.request);
  if (!options) co_return problem_of(options.error());
  auto const most = read_max_moves(call.request);
  if (!most) co_return problem_of(most.error());
  auto const moves = call.context.master().rebalance(*most);
  if (options->dry_run) co_return render(call, moves, true, {});
  auto const errors = co_await async_begin(call, moves);
  if (options->wait > Duration{}) {
    auto begun = moves;
    std::erase_if(begun, [&](auto const& move) { return errors.contains(move.service); });
    co_await async_until_done(&call.context, std::move(begun), call.context.loop.now().monotonic + options->wait);
  }
  co_return render(call, moves, false, errors);
}

}  // namespace davit::api
