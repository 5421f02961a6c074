#include "api/seen.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "api/problem.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace {

constexpr Duration kLimit = 2s;
constexpr Duration kLook = 2ms;  // the watch brings it by itself, within a round trip

// `has_come` is the caller's, who waits for this.
template <class Condition>
boost::asio::awaitable<void> async_until(Context* context, Condition const* has_come) {
  auto const deadline = context->loop.now().monotonic + kLimit;
  runtime::Wakeup never(context->loop);
  while (!(*has_come)() && context->loop.now().monotonic < deadline) {
    co_await never.async_wait_until(context->loop.now().monotonic + kLook);
  }
}

}  // namespace

boost::asio::awaitable<void> async_until_seen(Context* context, std::int64_t revision) {
  auto const has_come = [&] { return has_seen(*context, revision); };
  co_await async_until(context, &has_come);
}

std::optional<http::Response> refuse_to_show(Context const& context, std::int64_t revision) {
  if (has_seen(context, revision)) return std::nullopt;
  auto response =
      problem_of({Code::Unavailable,
                  fmt::format("the change is made, at revision {} of the store, but this master has lost touch with the store and "
                              "cannot show it; look at another master, or repeat it with its Idempotency-Key",
                              revision),
                  {}});
  response.headers.add("Davit-Revision", std::to_string(revision));
  return response;
}

boost::asio::awaitable<void> async_until_generation(Context* context, std::string service, std::vector<std::uint64_t> any_of) {
  auto const has_come = [&] {
    auto const* found = context->master().find_service(service);
    if (found == nullptr) return true;
    auto const now = found->head.generation;
    return std::ranges::find(any_of, now) != any_of.end() || std::ranges::all_of(any_of, [&](std::uint64_t each) { return each < now; });
  };
  co_await async_until(context, &has_come);
}

boost::asio::awaitable<void> async_until_overtaken(Context* context, std::string service, ServiceUid uid, std::uint64_t generation) {
  auto const has_come = [&] {
    auto const* found = context->master().find_service(service);
    return found == nullptr || found->head.uid != uid || found->head.generation != generation;
  };
  co_await async_until(context, &has_come);
}

}  // namespace davit::api
