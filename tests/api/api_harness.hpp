// A whole API for tests: HTTP server on a unix socket and a port, master, store in memory, one node. Everything that is
// asked is asked over HTTP.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/link_local/link_local.hpp"
#include "api/api.hpp"
#include "api/fake_agent.hpp"
#include "codec/json.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "runtime/gate.hpp"
#include "sim/memory_store.hpp"

namespace davit::api {

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string text;
  codec::Value json;  // null when it is none

  codec::Value const& at(std::string_view key) const { return json.at(key); }
  std::string error(std::string_view pointer) const;  // the detail of errors[], or ""
};
std::ostream& operator<<(std::ostream& out, Answer const& answer);

class ApiTest : public testing::Test {
 protected:
  void SetUp() override { start({.version = "0.1", .node = "n1", .token = {}}); }
  void TearDown() override;
  void start(ApiOptions options);
  void stop();

  Answer ask(std::string method, std::string target, std::string body = {}, http::Headers headers = {});
  Answer get(std::string target, http::Headers headers = {}) { return ask("GET", std::move(target), {}, std::move(headers)); }
  Answer ask_over_tcp(http::Request request, std::string host_header = {});
  // Starts a request; its answer comes into the optional.
  std::shared_ptr<std::optional<Answer>> begin(http::Request request);
  bool eventually(std::function<bool()> const& condition) { return loop.run_until(condition, 20s); }
  // The service's state and readiness, once it is this one.
  bool becomes(std::string const& service, std::string_view state);

  master::Master const& master() const { return driver_->master(); }

  NodeId self{77};  // of the master; the agent's, if they are one node
  runtime::AsioLoop loop;
  std::unique_ptr<FakeAgent> agent;
  std::uint16_t port = 0;

 private:
  struct NoLogs final : ports::InstanceLogs {
    std::unique_ptr<ports::LogReader> read(NodeId, ports::LogQuery, std::function<void(ports::LogLine)>,
                                           std::function<void(Status)>) override {
      return nullptr;
    }
  };
  std::shared_ptr<std::optional<Answer>> send(http::Client& client, http::Request request);

  std::string folder_;
  NoLogs logs_;
  std::unique_ptr<sim::MemoryStore> store_;
  link_local::NoPeers peers_;
  std::unique_ptr<drivers::MasterDriver> driver_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<runtime::Gate> gate_;
};

}  // namespace davit::api
