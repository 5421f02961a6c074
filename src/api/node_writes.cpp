#include "api/node_writes.hpp"

#include <fmt/core.h>

#include "api/answer.hpp"
#include "api/event_log.hpp"
#include "api/node_routes.hpp"
#include "api/problem.hpp"
#include "api/render_node.hpp"
#include "api/request_body.hpp"
#include "api/request_options.hpp"
#include "api/seen.hpp"
#include "api/service_reads.hpp"
#include "model/node_label.hpp"
#include "model/problem.hpp"
#include "runtime/deadline.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

using codec::Value;
using model::NodeCommand;
namespace problem_code = model::problem_code;

constexpr Duration kApplyLimit = 30s;

http::Response refuse(std::string pointer, std::string_view code, std::string detail) {
  return problem_at(problem_kind::kInvalidRequest, std::move(pointer), code, std::move(detail));
}

OrRefusal<void> read_label(NodeCommand& command, std::string const& key, Value const& value) {
  auto const at = "#/labels/" + model::pointer_token(key);
  if (auto const good = model::check_label_key(key); !good) {
    return std::unexpected(refuse(at, problem_code::kInvalidValue, good.error().message));
  }
  auto const* text = value.as_string();
  if (!text && !value.is_null()) {
    return std::unexpected(refuse(at, problem_code::kWrongType, fmt::format("expected a string or null, got {}", codec::describe(value))));
  }
  if (auto const good = model::check_label_value(value.text()); !good) {
    return std::unexpected(refuse(at, problem_code::kInvalidValue, good.error().message));
  }
  command.labels[key] = text ? std::optional(*text) : std::nullopt;
  return {};
}

OrRefusal<void> read_availability(NodeCommand& command, Value const& value) {
  auto const* text = value.as_string();
  command.availability = text ? model::parse_enum<model::Availability>(*text) : std::nullopt;
  if (command.availability) return {};
  return std::unexpected(
      refuse("#/availability", problem_code::kInvalidValue, fmt::format("active, pause or drain, not {}", codec::describe(value))));
}

OrRefusal<void> read_labels(NodeCommand& command, Value const& value) {
  if (!value.as_object()) {
    return std::unexpected(refuse("#/labels", problem_code::kWrongType,
                                  fmt::format("expected an object, got {}; null as a label's value removes it", codec::describe(value))));
  }
  for (auto const& [key, label] : value.members()) {
    if (auto read = read_label(command, key, label); !read) return read;
  }
  return {};
}

OrRefusal<NodeCommand> read_patch(http::Request const& request) {
  auto const body = read_object(request, Media::JsonOrMergePatch);
  if (!body) return std::unexpected(body.error());
  NodeCommand command;
  for (auto const& [key, value] : body->members()) {
    OrRefusal<void> read;
    if (key == "availability") read = read_availability(command, value);
    else if (key == "labels") read = read_labels(command, value);
    else {
      read = std::unexpected(refuse("#/" + model::pointer_token(key), problem_code::kUnknownField,
                                    "no such field that can be changed; there are: availability, labels"));
    }
    if (!read) return std::unexpected(std::move(read).error());
  }
  return command;
}

asio::awaitable<Result<master::Applied>> async_apply(Call call, NodeCommand command) {
  auto& context = call.context;
  auto const limit = context.loop.now().monotonic + kApplyLimit;
  co_return co_await runtime::async_with_deadline(
      context.loop, limit, "the store; the change may be made all the same: look, or ask for it again",
      runtime::async_call<Result<master::Applied>>(
          context.loop, [&context, &command](auto done) { context.driver.node_command(std::move(command), std::move(done)); }));
}

http::Response render_applied(Call const& call, NodeId id, master::Applied const& applied) {
  auto const* node = find_node(call.context.master(), to_string(id));
  auto response = answer(200, node ? render_node(call.context.master(), *node) : Value::object({{"id", to_string(id)}}));
  response.headers.add("Davit-Revision", std::to_string(applied.store_revision));
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  return response;
}

asio::awaitable<void> async_until_empty(Context* context, NodeId id, Monotonic deadline) {
  runtime::Wakeup news(context->loop);
  auto const subscription = context->events.subscribe([&news] { news.notify(); });
  for (;;) {
    auto const* node = find_node(context->master(), to_string(id));
    bool const is_draining = node && node->record.availability == model::Availability::Drain;
    if (!is_draining || node->instances == 0) co_return;
    if (!co_await news.async_wait_until(deadline)) co_return;
  }
}

// A label that only the node itself has would be there again at once.
std::optional<http::Response> refuse_to_remove_own(master::Node const& node, NodeCommand const& command) {
  for (auto const& [key, value] : command.labels) {
    if (value || node.record.labels.contains(key) || !node.facts.labels.contains(key)) continue;
    return refuse("#/labels/" + model::pointer_token(key), problem_code::kConflict,
                  fmt::format("{} is the node's own, given with --labels at its start: take it out there, or set another value here", key));
  }
  return std::nullopt;
}

// Of several that are down the name does not tell which one is meant.
std::optional<http::Response> refuse_ambiguous(master::Master const& master, master::Node const& node, std::string_view name) {
  if (node.record.name != name || !node.is_down()) return std::nullopt;
  std::string ids;
  std::size_t count = 0;
  for (auto const& each : master.nodes()) {
    if (!each.is_recorded || each.record.name != name) continue;
    ids += fmt::format("{}{}", ids.empty() ? "" : ", ", to_string(each.record.id));
    ++count;
  }
  if (count < 2) return std::nullopt;
  return problem(problem_kind::kNodeState,
                 fmt::format("{} nodes that are down had the name {}; say which by its id: {}", count, name, ids));
}

asio::awaitable<http::Response> async_change(Call call, NodeCommand command) {
  if (auto refused = refuse_early_read(call)) co_return *std::move(refused);
  auto const options = read_write_options(call.request);
  if (!options) co_return problem_of(options.error());
  if (options->if_match)
    co_return problem_of(
        {Code::Invalid, "nodes have no ETag: leave it out; a request about a node says what is to be, whatever it was", "If-Match"});
  auto const* node = find_node(call.context.master(), call.name);
  if (!node || !node->is_recorded) co_return node_not_found(call.name);
  if (auto refused = refuse_ambiguous(call.context.master(), *node, call.name)) co_return *std::move(refused);
  if (auto refused = refuse_to_remove_own(*node, command)) co_return *std::move(refused);
  auto const id = command.node = node->record.id;
  auto const applied = co_await async_apply(call, std::move(command));
  if (!applied) co_return problem_of(applied.error());
  co_await async_until_seen(&call.context, applied->store_revision);
  if (auto refused = refuse_to_show(call.context, applied->store_revision)) co_return *std::move(refused);
  if (options->wait > Duration{}) co_await async_until_empty(&call.context, id, call.context.loop.now().monotonic + options->wait);
  co_return render_applied(call, id, *applied);
}

asio::awaitable<http::Response> async_act(Call call, NodeCommand command) {
  auto const body = read_object(call.request, Media::Json, Empty::Allowed);
  if (!body) co_return body.error();
  if (!body->members().empty()) {
    co_return refuse("#/" + model::pointer_token(body->members().front().key), problem_code::kUnknownField,
                     "no such field: this takes none");
  }
  co_return co_await async_change(call, std::move(command));
}

}  // namespace

asio::awaitable<http::Response> async_patch_node(Call call) {
  auto command = read_patch(call.request);
  if (!command) co_return std::move(command).error();
  co_return co_await async_change(call, *std::move(command));
}

asio::awaitable<http::Response> async_drain_node(Call call) {
  return async_act(std::move(call), {.availability = model::Availability::Drain});
}
asio::awaitable<http::Response> async_activate_node(Call call) {
  return async_act(std::move(call), {.availability = model::Availability::Active});
}
asio::awaitable<http::Response> async_mark_node_down(Call call) { return async_act(std::move(call), {.mark_down = true}); }
asio::awaitable<http::Response> async_remove_node(Call call) { return async_act(std::move(call), {.forget = true}); }

}  // namespace davit::api
