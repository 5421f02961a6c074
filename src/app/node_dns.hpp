// DNS on this node: where it is served, and what containers are told of it. A port that cannot be had disturbs nothing: that is said once
// and tried again, and meanwhile containers get the resolvers that the engine gives them. Owned by WorkerPart; control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/dns_server/dns_server.hpp"
#include "adapters/engine_docker/container_dns.hpp"
#include "app/dns_settings.hpp"
#include "http/url.hpp"
#include "ports/directory.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

class NodeDns {
 public:
  NodeDns(runtime::AsioLoop& loop, DnsSettings settings, http::Endpoint const& engine);

  ports::DirectoryUser& user() { return server_; }
  // `find` makes the engine call at(), now and every once in a while.
  void start(std::function<void()> find);
  void stop() { timer_->cancel(); }
  // What containers of an engine with this bridge are told. Listens there, unless the settings say where.
  std::optional<engine_docker::ContainerDns> at(engine_docker::Bridge const& bridge);

 private:
  void listen(dns::Address const& address, std::uint16_t port);
  void warn(std::string const& why);
  void tick();

  runtime::AsioLoop& loop_;
  DnsSettings settings_;
  bool is_engine_here_;
  dns_server::DnsServer server_;
  std::function<void()> find_;
  std::string warned_;  // what was said last
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

// The engine's resolv.conf with ours in place of its resolvers.
engine_docker::ContainerDns container_dns(std::string server, std::string const& domain, std::string_view resolv_conf);

}  // namespace davit::app
