// Keeps a connection to the engine and says what happens to it and to Davit's containers: connect, ask the version, follow
// the events, and again after every loss. Owned by DockerEngine; control thread.
//
// The events open before EngineUp is told, so that whoever then lists misses nothing. They are wake-ups only: engines drop
// events of slow readers without a sign. A ping every 5 s on another connection finds the engine that hangs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/api_client.hpp"
#include "model/engine.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::engine_docker {

class EventsWatch {
 public:
  EventsWatch(runtime::AsioLoop& loop, ApiClient& api, runtime::Gate& gate, std::function<void(model::EngineHint)> on_hint);

  boost::asio::awaitable<void> async_run();  // until cancelled

 private:
  struct Session;
  boost::asio::awaitable<Error> async_session();  // why it ended
  boost::asio::awaitable<Error> async_follow(std::shared_ptr<Session> session);
  boost::asio::awaitable<void> async_ping_during(std::shared_ptr<Session> session);
  void tell_down(std::string message);
  Monotonic in(Duration time) const { return loop_.now().monotonic + time; }

  runtime::AsioLoop& loop_;
  ApiClient& api_;
  runtime::Gate& gate_;
  std::function<void(model::EngineHint)> on_hint_;
  bool up_ = false;
  std::optional<std::string> told_down_;  // the last EngineDown's message, while it holds
};

// What one line of the event stream says of a container; nothing for other events and for those that exec sets off.
std::optional<model::EngineHint> container_hint(std::string_view line);

}  // namespace davit::engine_docker
