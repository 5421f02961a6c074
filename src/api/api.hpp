// The public HTTP interface (api.md): from requests to the master's state and commands. Made by main beside the
// MasterDriver, whose transitions it must be told; lives until the HTTP server has stopped. Control thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/master/state.hpp"
#include "drivers/master_driver.hpp"
#include "http/server.hpp"
#include "ports/instance_logs.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::api {

struct ApiOptions {
  std::string version;               // of this program
  std::string node;                  // on which it runs
  bool is_worker = true;             // whether this process is that node's agent as well
  std::optional<std::string> token;  // what TCP clients must show
  std::string listen_host = "127.0.0.1";
  std::vector<std::string> hosts{};  // further names by which clients may call a loopback listener
};

class Api {
 public:
  Api(runtime::AsioLoop& loop, drivers::MasterDriver& driver, ports::InstanceLogs& logs, ApiOptions options);
  ~Api();
  Api(Api const&) = delete;
  Api& operator=(Api const&) = delete;

  // Refers to this Api; the rest of the options stands at its defaults.
  http::ServerOptions server_options();
  void on_changed(master::Transition const& transition);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::api
