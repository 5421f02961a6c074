// One coroutine for each EngineCall: ask the engine, decide what its answer means. Owned by DockerEngine; control thread.
// What the caller wanted to be true and is true already is a success: starting what runs, stopping, killing or removing what
// has ended or is gone.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/api_client.hpp"
#include "adapters/engine_docker/container_dns.hpp"
#include "codec/value.hpp"
#include "model/engine.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::engine_docker {

class Calls {
 public:
  using Progress = std::function<void(model::PullProgress)>;
  using Reply = boost::asio::awaitable<Result<model::EngineReply>>;

  Calls(runtime::AsioLoop& loop, ApiClient& api, std::filesystem::path docker_config_folder, Progress on_progress,
        ContainerDnsFinder::DnsAt dns_at);

  // kNever as deadline: a time that suits the call.
  Reply async_perform(model::EngineCall call, Monotonic deadline);
  boost::asio::awaitable<void> async_find_dns(Monotonic deadline) { return dns_.async_find(deadline); }

 private:
  using Refusal = Error (*)(int status, std::string message);

  Reply async_on(model::InspectImage call, Monotonic deadline);
  Reply async_on(model::PullImage call, Monotonic deadline);
  Reply async_on(model::CreateContainer call, Monotonic deadline);
  Reply async_on(model::StartContainer call, Monotonic deadline);
  Reply async_on(model::StopContainer call, Monotonic deadline);
  Reply async_on(model::KillContainer call, Monotonic deadline);
  Reply async_on(model::RemoveContainer call, Monotonic deadline);
  Reply async_on(model::InspectContainer call, Monotonic deadline);
  Reply async_on(model::ListContainers call, Monotonic deadline);
  Reply async_on(model::ReadStats call, Monotonic deadline);
  Reply async_on(model::ReadEngineInfo call, Monotonic deadline);

  boost::asio::awaitable<Result<codec::Value>> async_get(std::string path, http::Query query, Refusal refusal, Monotonic deadline);
  boost::asio::awaitable<Result<model::Pulled>> async_follow_pull(http::Stream* stream, std::string reference, Monotonic deadline);

  runtime::AsioLoop& loop_;
  ApiClient& api_;
  std::filesystem::path docker_config_folder_;
  Progress on_progress_;
  ContainerDnsFinder dns_;
};

}  // namespace davit::engine_docker
