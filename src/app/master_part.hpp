// What makes a process a master: the driver of its machine, and the API in front of it. Made by the app over the ports that the
// process has; control thread.
#pragma once

#include <functional>
#include <optional>

#include "api/api.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "drivers/master_driver.hpp"
#include "http/server.hpp"
#include "ports/instance_logs.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

class MasterPart {
 public:
  struct Ports {
    runtime::AsioLoop& loop;
    ports::Store& store;
    ports::AgentLink& agents;
    ports::PeerLink& peers;
    ports::InstanceLogs& logs;
  };
  // `link_address`: where agents and other masters reach this one; empty where nobody does.
  MasterPart(Ports ports, Settings const& settings, NodeId self, std::string link_address);
  MasterPart(MasterPart const&) = delete;
  MasterPart& operator=(MasterPart const&) = delete;

  Status listen();
  void start() { driver_.start(); }
  // The API ends first; `on_served` runs when no request is under way any more.
  void stop_serving(std::function<void()> on_served) { server_.stop(std::move(on_served)); }
  void leave(std::function<void()> on_left) { driver_.leave(std::move(on_left)); }
  void stop() { driver_.stop(); }

  master::Master const& master() const { return driver_.master(); }
  std::uint16_t port() const { return port_; }

 private:
  runtime::AsioLoop& loop_;
  Settings const& settings_;
  drivers::MasterDriver driver_;
  api::Api api_;
  http::Server server_;
  std::uint16_t port_ = 0;
};

}  // namespace davit::app
