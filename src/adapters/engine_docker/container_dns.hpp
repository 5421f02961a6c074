// What containers are told of DNS where their spec does not say it. Which address they reach their host by, the engine's own bridge
// network says; whether anybody answers there, who made the adapter knows. Owned by Calls; control thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/api_client.hpp"
#include "codec/value.hpp"

namespace davit::engine_docker {

struct ContainerDns {
  std::string server;
  std::vector<std::string> search;
  std::vector<std::string> options;
};

// Both empty: the engine has no such network.
struct Bridge {
  std::string interface;
  std::string gateway;
  friend bool operator==(Bridge const&, Bridge const&) = default;
};
Bridge read_bridge(codec::Value const& network);  // of GET /networks/bridge

class ContainerDnsFinder {
 public:
  // Nothing: containers get what the engine gives by itself.
  using DnsAt = std::function<std::optional<ContainerDns>(Bridge const&)>;

  ContainerDnsFinder(ApiClient& api, DnsAt dns_at) : api_(api), dns_at_(std::move(dns_at)) {}

  // An engine that does not answer changes nothing.
  boost::asio::awaitable<void> async_find(Monotonic deadline);
  bool is_to_be_found() const { return dns_at_ && !has_found_; }
  std::optional<ContainerDns> const& dns() const { return dns_; }

 private:
  ApiClient& api_;
  DnsAt dns_at_;
  bool has_found_ = false;
  std::optional<ContainerDns> dns_;
};

}  // namespace davit::engine_docker
