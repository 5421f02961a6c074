#include "core/agent/port_pool.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::agent {
namespace {

constexpr Duration kBlockedFor = 60s;

std::string reason_name(model::Reason reason) { return std::string(model::to_string(reason)); }

}  // namespace

bool PortPool::is_free(Key key, Monotonic now) const {
  if (taken_.contains(key) || reserved_.contains(key)) return false;
  auto const blocked = blocked_until_.find(key);
  return blocked == blocked_until_.end() || blocked->second <= now;
}

// How often it is taken on that address, or on one that includes it.
std::ptrdiff_t PortPool::count(Taken const& taken, Key key, std::string const& address) {
  auto const found = taken.find(key);
  if (found == taken.end()) return 0;
  return std::ranges::count_if(found->second, [&](std::string const& each) { return model::share_address(each, address); });
}

Result<std::uint16_t> PortPool::pick_one(model::PortSpec const& wanted, Taken const& picked, Monotonic now) {
  auto const free = [&](std::uint16_t port) { return is_free({wanted.protocol, port}, now) && !picked.contains({wanted.protocol, port}); };
  if (wanted.published && wanted.mode == model::PortMode::Host) {
    auto const first = static_cast<std::uint16_t>(*wanted.published);
    auto const last = static_cast<std::uint16_t>(wanted.published_end.value_or(*wanted.published));
    // A fixed port that a stranger held a moment ago is tried again: the user named it.
    Key const key{wanted.protocol, first};
    if (first == last && count(taken_, key, wanted.host_ip) + count(picked, key, wanted.host_ip) == 0) return first;
    for (std::uint32_t port = first; port <= last && first != last; ++port) {
      if (free(static_cast<std::uint16_t>(port))) return static_cast<std::uint16_t>(port);
    }
    auto const which = first == last ? fmt::format("port {}", first) : fmt::format("every port of {}-{}", first, last);
    return fail(Code::Exhausted, fmt::format("{} is taken by another instance on this node", which),
                reason_name(model::Reason::HostPortInUse));
  }
  for (std::uint32_t tried = 0; tried <= static_cast<std::uint32_t>(range_.last - range_.first); ++tried) {
    auto const port = next_;
    next_ = next_ >= range_.last ? range_.first : static_cast<std::uint16_t>(next_ + 1);
    if (free(port)) return port;
  }
  return fail(Code::Exhausted,
              fmt::format("all ports of the range {}-{} are taken on this node; give it a wider --port-range", range_.first, range_.last),
              reason_name(model::Reason::PortsExhausted));
}

Result<std::vector<model::PublishedPort>> PortPool::pick(std::vector<model::PortSpec> const& wanted, Monotonic now) {
  std::vector<model::PublishedPort> ports;
  Taken picked;
  for (auto const& each : wanted) {
    TRY(auto const port, pick_one(each, picked, now));
    picked[{each.protocol, port}].push_back(each.host_ip);
    ports.push_back({each.name, static_cast<std::uint16_t>(each.target), each.protocol, each.host_ip, port});
  }
  return ports;
}

void PortPool::take(std::span<model::PublishedPort const> ports) {
  for (auto const& port : ports) taken_[{port.protocol, port.published}].push_back(port.address);
}

void PortPool::release(std::span<model::PublishedPort const> ports) {
  for (auto const& port : ports) {
    auto const taken = taken_.find({port.protocol, port.published});
    if (taken == taken_.end()) continue;
    auto const address = std::ranges::find(taken->second, port.address);
    if (address != taken->second.end()) taken->second.erase(address);
    if (taken->second.empty()) taken_.erase(taken);
  }
}

bool PortPool::are_shared(std::span<model::PublishedPort const> ports) const {
  return std::ranges::any_of(ports, [this](auto const& port) { return count(taken_, {port.protocol, port.published}, port.address) > 1; });
}

void PortPool::block(std::span<model::PublishedPort const> ports, Monotonic now) {
  std::erase_if(blocked_until_, [&](auto const& each) { return each.second <= now; });
  for (auto const& port : ports) blocked_until_[{port.protocol, port.published}] = now + kBlockedFor;
}

}  // namespace davit::agent
