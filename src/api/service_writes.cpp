#include "api/service_writes.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "api/carry_out.hpp"
#include "api/problem.hpp"
#include "api/request_body.hpp"
#include "api/request_options.hpp"
#include "api/seen.hpp"
#include "api/service_reads.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr int kPatchAttempts = 8;

bool was_carried_out(model::Head const& head, std::string const& request_id) {
  return !request_id.empty() && std::ranges::find(head.requests, request_id, &model::RequestMemo::id) != head.requests.end();
}

bool meets(std::optional<IfMatch> const& if_match, model::Head const& head) {
  return !if_match || if_match->any || std::ranges::find(if_match->generations, head.generation) != if_match->generations.end();
}

// A patch is made from what this master shows, so it is refused by that as well; but not by what may be old.
http::Response refused_by_view(Call const& call, http::Response refusal) {
  if (!call.context.master().view_age(call.context.loop.now().monotonic)) return refusal;
  return problem_of({Code::Unavailable, "this master has lost touch with the store; ask another one, or again in a moment", {}});
}

// The command for a patch over the service as it is now. It holds only for the generation that it was made from, whatever If-Match names:
// over any other one it would undo what others have changed.
OrRefusal<service::Command> patch_command(Call const& call, WriteOptions const& options, codec::Value const& patch) {
  if (auto refused = refuse_early_read(call)) return std::unexpected(*std::move(refused));
  auto const* service = call.context.master().find_service(call.name);
  if (!service) return std::unexpected(refused_by_view(call, service_not_found(call.name)));
  auto const& head = service->head;
  auto const command_to = [&](model::SpecRef spec) {
    auto command = command_of(call, options, call.name, service::Replace{std::move(spec)});
    command.if_generation = head.generation;
    command.if_uid = head.uid;
    return command;
  };
  // A repeated request is recognized by its id alone: the patch may make no sense any more.
  if (was_carried_out(head, options.request_id)) return command_to(head.spec());
  if (!meets(options.if_match, head)) {
    auto const detail =
        fmt::format("service '{}' is at generation {}, which If-Match does not name: read it again", call.name, head.generation);
    return std::unexpected(refused_by_view(call, problem_of({Code::Stale, detail, {}})));
  }
  auto spec = read_patched_spec(call.name, *head.spec(), patch);
  if (!spec) return std::unexpected(std::move(spec).error());
  return command_to(*std::move(spec));
}

// Others may change the service between the reading and the writing: then the patch is made anew, so that no change is lost.
asio::awaitable<http::Response> async_merge(Call call, WriteOptions options, codec::Value patch) {
  bool const may_repeat = !options.if_match || options.if_match->any;
  if (!may_repeat) co_await async_until_generation(&call.context, call.name, options.if_match->generations);
  for (int attempt = 1;; ++attempt) {
    auto command = patch_command(call, options, patch);
    if (!command) co_return std::move(command).error();
    if (options.dry_run) co_return answer_dry_run(call, options, *command);
    auto const uid = command->if_uid.value_or(ServiceUid{});
    auto const generation = command->if_generation.value_or(0);
    auto applied = co_await async_apply(call, *std::move(command));
    bool const is_overtaken = !applied && applied.error().code == Code::Stale && may_repeat;
    if (is_overtaken && attempt == kPatchAttempts)
      applied = fail(Code::Unavailable, "others change this service all the time; ask again in a moment");
    if (!is_overtaken || attempt == kPatchAttempts) {
      co_return co_await async_answer_write(call, std::move(options), call.name, std::move(applied));
    }
    co_await async_until_overtaken(&call.context, call.name, uid, generation);
  }
}

asio::awaitable<http::Response> async_change(Call call, WriteOptions options) {
  if (auto good = check_name(call.name); !good) co_return std::move(good).error();
  auto body = read_object(call.request, options.replace ? Media::Json : Media::JsonOrMergePatch);
  if (!body) co_return std::move(body).error();
  auto name = take_name(*body, call.name);
  if (!name) co_return std::move(name).error();
  if (!options.replace) co_return co_await async_merge(call, std::move(options), *std::move(body));
  auto spec = read_spec_of(*name, *body);
  if (!spec) co_return std::move(spec).error();
  auto command = command_of(call, options, *std::move(name), service::Replace{*std::move(spec), !options.if_match.has_value()});
  co_return co_await async_carry_out(call, std::move(options), std::move(command));
}

// Restart, rollback, pause, resume, remove.
asio::awaitable<http::Response> async_act(Call call, service::CommandBody body) {
  if (auto good = check_name(call.name); !good) co_return std::move(good).error();
  auto options = read_write_options(call.request);
  if (!options) co_return problem_of(options.error());
  auto command = command_of(call, *options, call.name, std::move(body));
  co_return co_await async_carry_out(call, *std::move(options), std::move(command));
}

// The members that a small body may have.
OrRefusal<codec::Value> read_small_body(http::Request const& request, std::vector<std::string_view> const& known) {
  auto body = read_object(request, Media::Json, Empty::Allowed);
  if (!body) return body;
  for (auto const& member : body->members()) {
    if (std::ranges::find(known, member.key) != known.end()) continue;
    auto const detail =
        known.empty() ? std::string("no such field: this takes none") : fmt::format("no such field; there is: {}", known.front());
    return std::unexpected(
        problem_at(problem_kind::kInvalidRequest, "#/" + model::pointer_token(member.key), model::problem_code::kUnknownField, detail));
  }
  return body;
}

asio::awaitable<http::Response> async_act_without_body(Call call, service::CommandBody command) {
  if (auto body = read_small_body(call.request, {}); !body) co_return std::move(body).error();
  co_return co_await async_act(std::move(call), std::move(command));
}

}  // namespace

asio::awaitable<http::Response> async_create(Call call) {
  auto options = read_write_options(call.request);
  if (!options) co_return problem_of(options.error());
  if (options->if_match) co_return problem_of({Code::Stale, "POST makes a new service, which If-Match cannot match: use PUT", {}});
  auto body = read_object(call.request, Media::Json);
  if (!body) co_return std::move(body).error();
  auto name = take_name(*body, call.name);
  if (!name) co_return std::move(name).error();
  auto spec = read_spec_of(*name, *body);
  if (!spec) co_return std::move(spec).error();
  auto command = command_of(call, *options, *std::move(name), service::Create{*std::move(spec)});
  co_return co_await async_carry_out(call, *std::move(options), std::move(command));
}

asio::awaitable<http::Response> async_put(Call call) {
  auto options = read_write_options(call.request);
  if (!options) co_return problem_of(options.error());
  co_return co_await async_change(call, *std::move(options));
}

asio::awaitable<http::Response> async_patch(Call call) { return async_put(std::move(call)); }  // its route has no ?replace

asio::awaitable<http::Response> async_remove(Call call) { return async_act(std::move(call), service::Remove{}); }

asio::awaitable<http::Response> async_restart(Call call) { return async_act_without_body(std::move(call), service::Restart{}); }

asio::awaitable<http::Response> async_pause(Call call) { return async_act_without_body(std::move(call), service::Pause{}); }

asio::awaitable<http::Response> async_resume(Call call) { return async_act_without_body(std::move(call), service::Resume{}); }

asio::awaitable<http::Response> async_rollback(Call call) {
  auto const body = read_small_body(call.request, {"revision"});
  if (!body) co_return body.error();
  service::Rollback rollback;
  if (auto const& value = body->at("revision"); !value.is_null()) {
    auto const number = value.as_int();
    if (!number || *number < 1 || *number > UINT32_MAX) {
      co_return problem_at(problem_kind::kInvalidRequest, "#/revision", model::problem_code::kWrongType,
                           fmt::format("expected the number of a revision, got {}", codec::describe(value)));
    }
    rollback.to_revision = static_cast<std::uint32_t>(*number);
  }
  co_return co_await async_act(call, rollback);
}

}  // namespace davit::api
