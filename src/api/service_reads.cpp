#include "api/service_reads.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "api/answer.hpp"
#include "api/event_log.hpp"
#include "api/list_cache.hpp"
#include "api/problem.hpp"
#include "api/render_explain.hpp"
#include "api/render_history.hpp"
#include "api/render_service.hpp"
#include "api/request_options.hpp"
#include "api/seen.hpp"
#include "codec/json.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kInstancesPerPiece = 200;  // about a millisecond
constexpr int kHistoryAttempts = 5;

using InstanceKey = std::pair<std::uint32_t, InstanceId>;
InstanceKey key_of(service::Instance const& instance) { return {instance.slot, instance.id}; }
std::string to_string(InstanceKey const& key) { return fmt::format("{}.{}", key.first, davit::to_string(key.second)); }

// "2.k3v9x1c0qp7d", as a Link header gave it.
Result<InstanceKey> parse_instance_key(std::string_view text) {
  if (text.empty()) return InstanceKey{};
  auto const dot = std::min(text.find('.'), text.size());
  std::uint32_t slot = 0;
  for (char const c : text.substr(0, dot)) {
    bool const is_digit = c >= '0' && c <= '9' && slot < 100'000'000;
    if (!is_digit) return fail(Code::Invalid, "takes what the Link header of the last page says", "?after");
    slot = slot * 10 + static_cast<std::uint32_t>(c - '0');
  }
  auto const id = parse_id<InstanceId>(text.substr(std::min(dot + 1, text.size())));
  if (!id) return fail(Code::Invalid, "takes what the Link header of the last page says", "?after");
  return InstanceKey{slot, *id};
}

struct Piece {
  std::string json;  // entries with commas between them
  std::optional<InstanceKey> last;
  bool more = false;
};

// The entries after `after`; none if the service has gone.
Piece render_piece(Context const& context, std::string const& name, InstanceKey const& after, std::size_t limit) {
  Piece piece;
  auto const& master = context.master();
  auto const* service = master.find_service(name);
  if (!service) return piece;
  auto const& all = service->instances;
  auto at = all.lower_bound(after.first, {after.second.value + 1});
  for (; at != all.end() && limit > 0; ++at, --limit) {
    if (!piece.json.empty()) piece.json += ',';
    piece.json += codec::dump(render_instance(master, *service, *at));
    piece.last = key_of(*at);
  }
  piece.more = at != all.end();
  return piece;
}

http::Response instances_page(Call const& call, InstanceKey const& after, std::size_t limit) {
  auto const piece = render_piece(call.context, call.name, after, limit);
  http::Response response{
      .status = 200, .headers = {{"Content-Type", std::string(kJson)}, {"Cache-Control", "no-store"}}, .body = '[' + piece.json + "]\n"};
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  if (piece.more) response.headers.add("Link", next_link(call.request, to_string(*piece.last)));
  return response;
}

}  // namespace

std::optional<http::Response> refuse_early_read(Call const& call) {
  auto const& master = call.context.master();
  auto const revision = read_revision(call.request);
  if (!revision) return problem_of(revision.error());
  if (master.phase() == master::Phase::Loading)
    return problem_of({Code::Unavailable, "this master is reading its store; ask again in a moment", {}});
  if (!has_seen(call.context, *revision)) {
    return problem_of({Code::Unavailable, fmt::format("this master has not seen revision {} yet; ask again in a moment", *revision), {}});
  }
  return std::nullopt;
}

http::Response list_services(Call const& call) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const page = read_page(call.request);
  if (!page) return problem_of(page.error());
  auto& lists = call.context.lists;
  auto const& master = call.context.master();
  auto const etag = lists.etag(master);
  http::Response response{.status = 200, .headers = {}, .body = {}};
  response.headers.reserve(5);
  response.headers.add("ETag", etag);
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  response.headers.add("Cache-Control", "no-cache");
  if (is_unchanged(call.request, etag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", std::string(kJson));
  if (!page->limit && page->after.empty()) {
    response.body = lists.all(master);
    return response;
  }
  auto part = lists.page(master, page->after, page->limit.value_or(kMaxPage));
  if (!part.last.empty()) response.headers.add("Link", next_link(call.request, part.last));
  response.body = std::move(part.body);
  return response;
}

http::Response get_service(Call const& call) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const defaults = read_flag(call.request, "defaults");
  if (!defaults) return problem_of(defaults.error());
  auto const* service = call.context.master().find_service(call.name);
  if (!service) return service_not_found(call.name);
  auto response = answer(200, render_service(call.context.master(), *service, *defaults ? codec::Defaults::Show : codec::Defaults::Omit));
  response.headers.add("ETag", fmt::format("\"{}\"", service->head.generation));
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  return response;
}

http::Response explain_service(Call const& call) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const* service = call.context.master().find_service(call.name);
  if (!service) return service_not_found(call.name);
  return answer(200, render_explain(call.context.master(), *service));
}

// The store may be ahead of the head that is known here, or behind it; a moment later they agree.
asio::awaitable<http::Response> async_get_history(Call call) {
  if (auto refused = refuse_early_read(call)) co_return *std::move(refused);
  auto& context = call.context;
  for (int attempt = 0; attempt < kHistoryAttempts; ++attempt) {
    if (!context.master().find_service(call.name)) co_return service_not_found(call.name);
    auto events = co_await runtime::async_call<Result<std::vector<model::JournalEvent>>>(
        context.loop, [&](auto done) { context.driver.read_history(call.name, std::move(done)); });
    if (!events) co_return problem_of(events.error());
    auto const* service = context.master().find_service(call.name);
    if (!service || events->empty()) continue;
    while (!events->empty() && events->back().number > service->head.events) events->pop_back();
    if (!events->empty() && events->back().number == service->head.events) co_return answer(200, render_history(service->head, *events));
  }
  co_return problem_of({Code::Unavailable, "the service changes all the time; ask again in a moment", {}});
}

asio::awaitable<void> async_send_instances(Call call, http::ResponseWriter* writer) {
  auto refused = refuse_early_read(call);
  auto const page = read_page(call.request);
  auto after = page ? parse_instance_key(page->after) : std::unexpected(page.error());
  if (!refused && !after) refused = problem_of(after.error());
  auto const* service = call.context.master().find_service(call.name);
  if (!refused && !service) refused = service_not_found(call.name);
  if (refused) {
    (void)co_await writer->async_send(*std::move(refused));
    co_return;
  }
  if (page->limit || service->instances.size() <= kInstancesPerPiece) {
    (void)co_await writer->async_send(instances_page(call, *after, page->limit.value_or(kInstancesPerPiece)));
    co_return;
  }
  auto sent = co_await writer->async_begin(200, {{"Content-Type", std::string(kJson)}, {"Cache-Control", "no-store"}});
  std::string open = "[";
  for (bool more = true; more && sent;) {
    auto piece = render_piece(call.context, call.name, *after, kInstancesPerPiece);
    if (piece.last) {
      sent = co_await writer->async_write(std::exchange(open, ",") + piece.json);
      *after = *piece.last;
    }
    more = piece.more;
  }
  if (sent) sent = co_await writer->async_write(open == "[" ? "[]\n" : "]\n");
  if (sent) (void)co_await writer->async_end();
}

}  // namespace davit::api
