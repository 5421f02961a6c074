#include "app/node_dns.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "adapters/dns_server/neighbours.hpp"
#include "adapters/dns_server/sockets.hpp"
#include "app/host.hpp"
#include "base/loopback.hpp"
#include "core/dns/resolv_conf.hpp"
#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kInterval = 30s;
constexpr Duration kSoon = 1s;  // while it does not listen: containers that are made meanwhile are not told of it
constexpr auto kResolvConf = "/etc/resolv.conf";
constexpr std::size_t kMostSearch = 6;  // domains that every C library takes

std::string read_host_resolv_conf() {
  std::ifstream in(kResolvConf);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<dns::Address> gateway_of(engine_docker::Bridge const& bridge) {
  if (auto const address = dns::parse_address(bridge.gateway)) return address;
  return bridge.interface.empty() ? std::nullopt : dns_server::address_of_interface(bridge.interface);
}

}  // namespace

engine_docker::ContainerDns container_dns(std::string server, std::string const& domain, std::string_view resolv_conf) {
  auto const host = dns::read_resolv_conf(resolv_conf);
  engine_docker::ContainerDns told{.server = std::move(server), .search = {domain}, .options = host.options};
  for (auto const& each : host.search) {
    if (each != domain && each != "." && told.search.size() < kMostSearch) told.search.push_back(each);
  }
  return told;
}

NodeDns::NodeDns(runtime::AsioLoop& loop, DnsSettings settings, http::Endpoint const& engine)
    : loop_(loop),
      settings_(std::move(settings)),
      is_engine_here_(engine.kind == http::Endpoint::Kind::Unix || is_loopback(engine.host)),
      server_({.domain = dns::Name::parse(settings_.domain).value()}) {}

void NodeDns::start(std::function<void()> find) {
  find_ = std::move(find);
  tick();
}

void NodeDns::tick() {
  if (settings_.listen) listen(dns::parse_address(settings_.listen->host).value(), settings_.listen->port);
  find_();
  timer_->set(loop_.now().monotonic + (server_.address() ? kInterval : kSoon), [this] { tick(); });
}

void NodeDns::listen(dns::Address const& address, std::uint16_t port) {
  if (server_.address() == address) return;
  auto const bound = server_.listen(address, port);
  if (bound) {
    warned_.clear();
    runtime::logger("dns").info("answers for {} at {}", settings_.domain, dns_server::to_string(address, *bound));
  } else {
    warn(bound.error().message);
  }
}

void NodeDns::warn(std::string const& why) {
  if (std::exchange(warned_, why) == why) return;
  runtime::logger("dns").warn("no DNS on this node, and new containers are not told of it: {}; tried again every {}", why,
                              format_duration(kSoon));
}

std::optional<engine_docker::ContainerDns> NodeDns::at(engine_docker::Bridge const& bridge) {
  auto const gateway = is_engine_here_ ? gateway_of(bridge) : std::nullopt;
  if (!settings_.listen && gateway) listen(*gateway, kDnsPort);
  if (!settings_.listen && !gateway)
    warn("the engine has no bridge of this machine, where containers could ask; --dns-listen names another address");
  if (!settings_.listen && (!gateway || server_.address() != gateway)) return std::nullopt;  // it listens where they were before
  auto const listening = server_.address();
  auto const port = settings_.listen ? settings_.listen->port : kDnsPort;
  auto const reached = listening && listening->is_any() ? gateway : listening;
  bool const can_be_told = reached && port == kDnsPort && !reached->is_loopback();
  if (!can_be_told) return std::nullopt;
  return container_dns(dns::to_string(*reached), settings_.domain, read_host_resolv_conf());
}

}  // namespace davit::app
