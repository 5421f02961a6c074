#include "api/settle.hpp"

#include <algorithm>

#include "api/event_log.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace {

// Trying again does not help: the spec, the registry or the credentials must change.
bool is_hopeless(service::Instance const& instance) {
  using model::Reason;
  if (instance.stop_sent) return false;
  return instance.reason == Reason::ImageNotFound || instance.reason == Reason::RegistryAuth || instance.reason == Reason::BadConfig;
}

}  // namespace

bool is_settled(master::Service const& service) {
  using service::State;
  switch (service.status.state) {
    case State::Running:
    case State::Paused: return true;
    case State::Degraded:
      return service.head.rollout.state == model::RolloutState::Incomplete || std::ranges::any_of(service.instances, is_hopeless);
    case State::Converging:
    case State::Updating:
    case State::RollingBack:
    case State::Removing: return false;
  }
  return false;
}

boost::asio::awaitable<void> async_settle(Context* context, std::string service, ServiceUid uid, Monotonic deadline) {
  runtime::Wakeup news(context->loop);
  auto const subscription = context->events.subscribe([&news] { news.notify(); });
  for (;;) {
    auto const* found = context->master().find_service(service);
    if (!found || found->head.uid != uid || is_settled(*found)) co_return;
    if (!co_await news.async_wait_until(deadline)) co_return;
  }
}

}  // namespace davit::api
