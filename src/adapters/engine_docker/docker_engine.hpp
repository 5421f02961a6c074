// ports::Engine over the Docker Engine's HTTP API. Made by main; control thread.
// After stop() run the loop until is_stopped() before destroying it: its coroutines end one by one.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "adapters/engine_docker/api_client.hpp"
#include "adapters/engine_docker/calls.hpp"
#include "adapters/engine_docker/endpoint.hpp"
#include "adapters/engine_docker/events_watch.hpp"
#include "adapters/engine_docker/log_stream.hpp"
#include "ports/engine.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::engine_docker {

struct DockerEngineOptions {
  EngineAddress address;                       // find_endpoint()
  std::filesystem::path docker_config_folder;  // docker_config_folder(); credentials are read there at each pull
  ContainerDnsFinder::DnsAt dns_at = {};       // may be empty
};

class DockerEngine final : public ports::Engine {
 public:
  DockerEngine(runtime::AsioLoop& loop, DockerEngineOptions options);
  ~DockerEngine() override;

  void call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) override;
  void watch(std::function<void(model::EngineHint)> on_hint) override;
  std::unique_ptr<ports::LogReader> read_logs(ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                              std::function<void(Status)> on_end) override;
  // What new containers are told, anew: the engine's bridge may be another one by now.
  void find_dns();
  void stop() override;
  bool is_stopped() const { return gate_.is_closed() && gate_.count() == 0; }

 private:
  boost::asio::awaitable<void> async_run_call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done);
  boost::asio::awaitable<void> async_run_log(std::shared_ptr<LogFlow> flow);
  void hint(model::EngineHint hint);

  runtime::AsioLoop& loop_;
  ApiClient api_;
  std::function<void(model::EngineHint)> on_hint_;
  Calls calls_;
  EventsWatch watch_;
  runtime::Gate gate_;  // last: what runs in it uses the rest
};

}  // namespace davit::engine_docker
