#include "adapters/ingress/route.hpp"

#include <utility>

#include <fmt/core.h>

#include "runtime/log.hpp"

namespace davit::ingress {
namespace {

constexpr Duration kQuiet = std::chrono::seconds(10);

}  // namespace

void Route::set(std::vector<Target> const& targets) {
  std::vector<Backend> backends;
  std::map<InstanceId, Address> addresses;
  for (auto const& target : targets) {
    backends.push_back(target.backend);
    addresses[target.backend.instance] = target.address;
  }
  std::lock_guard const lock(mutex_);
  balancer_.set(backends);
  addresses_ = std::move(addresses);
}

std::optional<Target> Route::choose(std::set<InstanceId> const& tried, Monotonic now) {
  std::lock_guard const lock(mutex_);
  auto backend = balancer_.choose(tried, now);
  if (!backend) return std::nullopt;
  auto const& address = addresses_.at(backend->instance);
  return Target{*std::move(backend), address};
}

void Route::release(InstanceId instance) {
  std::lock_guard const lock(mutex_);
  balancer_.release(instance);
}

void Route::refused(InstanceId instance, Monotonic now) {
  std::lock_guard const lock(mutex_);
  balancer_.refused(instance, now);
}

bool Route::is_listed(InstanceId instance) const {
  std::lock_guard const lock(mutex_);
  return balancer_.is_listed(instance);
}

std::size_t Route::connections(InstanceId instance) const {
  std::lock_guard const lock(mutex_);
  return balancer_.connections(instance);
}

bool Route::enter(Monotonic now) {
  std::unique_lock lock(mutex_);
  bool const is_full = inside_ >= limits_.per_port;
  if (!is_full && all_.fetch_add(1) < limits_.connections) {
    ++inside_;
    return true;
  }
  if (!is_full) all_.fetch_sub(1);
  lock.unlock();
  complain(is_full ? fmt::format("{} are open, the most for one port", limits_.per_port)
                   : fmt::format("{} are open on all ports, the most for this node", limits_.connections),
           now);
  return false;
}

void Route::leave() {
  all_.fetch_sub(1);
  std::lock_guard const lock(mutex_);
  --inside_;
}

void Route::complain(std::string_view why, Monotonic now) {
  std::size_t more = 0;
  {
    std::lock_guard const lock(mutex_);
    if (now < quiet_until_) {
      ++refused_quietly_;
      return;
    }
    quiet_until_ = now + kQuiet;
    more = std::exchange(refused_quietly_, 0);
  }
  runtime::logger("ingress").warn("port {} of service {}: a connection is refused: {}{}", to_string(port_), service_, why,
                                  more > 0 ? fmt::format(" ({} more were since the last line like this)", more) : "");
}

}  // namespace davit::ingress
