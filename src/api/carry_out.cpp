#include "api/carry_out.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "api/answer.hpp"
#include "api/event_log.hpp"
#include "api/problem.hpp"
#include "api/render_service.hpp"
#include "api/seen.hpp"
#include "api/settle.hpp"
#include "model/validate.hpp"
#include "runtime/deadline.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr Duration kApplyLimit = 30s;

codec::Defaults defaults_of(WriteOptions const& options) { return options.defaults ? codec::Defaults::Show : codec::Defaults::Omit; }

http::Response render_applied(Call const& call, WriteOptions const& options, std::string const& name, master::Applied const& applied) {
  auto const& master = call.context.master();
  auto const* service = master.find_service(name);
  auto body = render_removed(name);
  if (service) {
    body = render_service(master, *service, defaults_of(options));
    body.set("warnings", render_warnings(model::warnings(*service->head.spec())));
  }
  auto response = answer(applied.created ? 201 : 200, body);
  if (service) response.headers.add("ETag", fmt::format("\"{}\"", service->head.generation));
  if (applied.created) response.headers.add("Location", fmt::format("/services/{}", name));
  if (applied.revision != 0) response.headers.add("Davit-Service-Revision", std::to_string(applied.revision));
  if (applied.replayed) response.headers.add("Idempotency-Replayed", "true");
  response.headers.add("Davit-Revision", std::to_string(applied.store_revision));
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  return response;
}

}  // namespace

service::Command command_of(Call const& call, WriteOptions const& options, std::string service, service::CommandBody body) {
  service::Command command{.service = std::move(service), .author = "api", .request_id = options.request_id, .body = std::move(body)};
  if (!command.request_id.empty()) command.fingerprint = fingerprint_of(call.request);
  if (options.if_match) {
    auto const* known = call.context.master().find_service(command.service);
    command.if_generation = generation_to_meet(*options.if_match, known ? &known->head : nullptr);
  }
  return command;
}

std::optional<std::uint64_t> generation_to_meet(IfMatch const& if_match, model::Head const* now) {
  if (if_match.any) return std::nullopt;
  if (now && std::ranges::find(if_match.generations, now->generation) != if_match.generations.end()) return now->generation;
  return if_match.generations.empty() ? 0 : if_match.generations.front();  // no generation is 0
}

asio::awaitable<Result<master::Applied>> async_apply(Call call, service::Command command) {
  auto& context = call.context;
  auto const limit = context.loop.now().monotonic + kApplyLimit;
  co_return co_await runtime::async_with_deadline(
      context.loop, limit, "the store; the change may be made all the same: look, or repeat it with its Idempotency-Key",
      runtime::async_call<Result<master::Applied>>(
          context.loop, [&context, &command](auto done) { context.driver.command(std::move(command), std::move(done)); }));
}

asio::awaitable<http::Response> async_answer_write(Call call, WriteOptions options, std::string service, Result<master::Applied> applied) {
  if (!applied) co_return problem_of(applied.error());
  co_await async_until_seen(&call.context, applied->store_revision);
  if (auto refused = refuse_to_show(call.context, applied->store_revision)) co_return *std::move(refused);
  auto const* found = call.context.master().find_service(service);
  if (found && options.wait > Duration{}) {
    co_await async_settle(&call.context, service, found->head.uid, call.context.loop.now().monotonic + options.wait);
  }
  co_return render_applied(call, options, service, *applied);
}

asio::awaitable<http::Response> async_carry_out(Call call, WriteOptions options, service::Command command) {
  if (options.dry_run) co_return answer_dry_run(call, options, command);
  auto name = command.service;
  auto applied = co_await async_apply(call, std::move(command));
  co_return co_await async_answer_write(call, std::move(options), std::move(name), std::move(applied));
}

http::Response answer_dry_run(Call const& call, WriteOptions const& options, service::Command const& command) {
  auto const& master = call.context.master();
  if (master.phase() != master::Phase::Active)
    return problem_of({Code::Unavailable, "this master does not act yet; ask again in a moment", {}});
  auto const after = master.dry_run(command, call.context.loop.now().wall);
  if (!after) return problem_of(after.error());
  if (after->events == 0) return service_not_found(command.service);  // a repeated removal: there is nothing to show
  auto const* service = master.find_service(command.service);
  auto body = render_dry_run(service ? &service->head : nullptr, *after, defaults_of(options));
  body.set("warnings", render_warnings(model::warnings(*after->spec())));
  return answer(200, body);
}

}  // namespace davit::api
