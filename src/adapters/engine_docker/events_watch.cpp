#include "adapters/engine_docker/events_watch.hpp"

#include <algorithm>
#include <utility>

#include "adapters/engine_docker/engine_json.hpp"
#include "adapters/engine_docker/lines.hpp"
#include "runtime/deadline.hpp"
#include "runtime/wakeup.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

constexpr Duration kConnectTimeout = 5s;
constexpr Duration kPingInterval = 5s;
constexpr Duration kPingTimeout = 5s;
constexpr Duration kFirstDelay = 100ms;
constexpr Duration kLastDelay = 2s;

Ask events_ask() {
  Ask ask;
  ask.path = "/events";
  ask.query = {{"filters", R"({"type":["container"],"label":["davit.cluster"]})"}};
  return ask;
}

}  // namespace

struct EventsWatch::Session {
  Session(runtime::AsioLoop& loop, http::Stream its_stream) : stream(std::move(its_stream)), over(loop) {}
  http::Stream stream;
  runtime::Wakeup over;
  std::optional<Error> why;  // set by the one who closed the stream
};

EventsWatch::EventsWatch(runtime::AsioLoop& loop, ApiClient& api, runtime::Gate& gate, std::function<void(model::EngineHint)> on_hint)
    : loop_(loop),
      api_(api),
      gate_(gate),
      on_hint_(std::move(on_hint)) {}

asio::awaitable<void> EventsWatch::async_run() {
  auto delay = kFirstDelay;
  while (true) {
    auto const why = co_await async_session();
    if (std::exchange(up_, false)) delay = kFirstDelay;
    tell_down(why.message);
    co_await runtime::async_sleep_until(loop_, in(delay));
    delay = std::min(delay * 2, kLastDelay);
  }
}

asio::awaitable<Error> EventsWatch::async_session() {
  auto const connected = co_await api_.async_connect(in(kConnectTimeout));
  if (!connected) co_return connected.error();
  auto stream = co_await api_.async_open(events_ask(), in(kConnectTimeout));
  if (!stream) co_return stream.error();
  if (stream->status() != 200) {
    auto const answer = co_await api_.async_read_answer(&*stream, in(kConnectTimeout));
    co_return answer ? Error{Code::Unavailable, "the engine gives no events: " + answer->message(), ""} : answer.error();
  }
  up_ = true;
  told_down_.reset();
  on_hint_(model::EngineUp{});
  auto const session = std::make_shared<Session>(loop_, std::move(*stream));
  runtime::spawn(gate_, "docker ping", async_ping_during(session));
  auto const why = co_await async_follow(session);
  session->over.notify();
  co_return session->why.value_or(why);
}

asio::awaitable<Error> EventsWatch::async_follow(std::shared_ptr<Session> session) {
  Lines lines;
  while (true) {
    auto const bytes = co_await session->stream.async_read();
    if (!bytes) co_return api_.away(bytes.error());
    if (bytes->empty()) co_return Error{Code::Unavailable, "the Docker Engine has ended the connection", ""};
    lines.push(*bytes);
    while (auto const line = lines.next()) {
      if (auto hint = container_hint(*line)) on_hint_(*std::move(hint));
    }
  }
}

asio::awaitable<void> EventsWatch::async_ping_during(std::shared_ptr<Session> session) {
  while (!co_await session->over.async_wait_until(in(kPingInterval))) {
    auto const pong = co_await api_.async_ping(in(kPingTimeout));
    if (pong) continue;
    session->why = pong.error();
    session->stream.close();
    co_return;
  }
}

void EventsWatch::tell_down(std::string message) {
  if (told_down_ == message) return;
  told_down_ = message;
  on_hint_(model::EngineDown{std::move(message)});
}

std::optional<model::EngineHint> container_hint(std::string_view line) {
  auto const event = parse_engine_json(line);
  if (!event || event->at("Type").text() != "container") return std::nullopt;
  auto const action = event->at("Action").text();
  auto const& actor = event->at("Actor");
  std::string id(actor.at("ID").text());
  if (id.empty() || action.starts_with("exec_")) return std::nullopt;
  if (action != "create") return model::ContainerTouched{std::move(id)};
  return model::ContainerAppeared{std::move(id), std::string(actor.at("Attributes").at("davit.cluster").text())};
}

}  // namespace davit::engine_docker
