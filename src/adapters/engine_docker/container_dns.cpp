#include "adapters/engine_docker/container_dns.hpp"

#include "adapters/engine_docker/engine_json.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;

Bridge read_bridge(codec::Value const& network) {
  Bridge bridge{.interface = std::string(network.at("Options").at("com.docker.network.bridge.name").text()), .gateway = {}};
  for (auto const& config : network.at("IPAM").at("Config").items()) {
    auto const gateway = config.at("Gateway").text();
    if (!gateway.contains(':') && bridge.gateway.empty()) bridge.gateway = gateway.substr(0, gateway.find('/'));
  }
  return bridge;
}

asio::awaitable<void> ContainerDnsFinder::async_find(Monotonic deadline) {
  if (!dns_at_) co_return;
  auto const answer = co_await api_.async_request({"GET", "/networks/bridge", {}, {}, {}}, deadline);
  if (!answer || (!answer->is_ok() && answer->status != 404)) co_return;
  auto const network = parse_engine_json(answer->body);
  if (!network) co_return;
  has_found_ = true;
  dns_ = dns_at_(answer->is_ok() ? read_bridge(*network) : Bridge{});
}

}  // namespace davit::engine_docker
