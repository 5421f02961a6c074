#include "adapters/engine_docker/docker_engine.hpp"

#include <exception>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::string_view name_of(model::EngineCall const& call) {
  return std::visit(
      Overloaded{[](model::InspectImage const&) { return "docker inspect image"; }, [](model::PullImage const&) { return "docker pull"; },
                 [](model::CreateContainer const&) { return "docker create"; }, [](model::StartContainer const&) { return "docker start"; },
                 [](model::StopContainer const&) { return "docker stop"; }, [](model::KillContainer const&) { return "docker kill"; },
                 [](model::RemoveContainer const&) { return "docker remove"; },
                 [](model::InspectContainer const&) { return "docker inspect"; },
                 [](model::ListContainers const&) { return "docker list"; }, [](model::ReadStats const&) { return "docker stats"; },
                 [](model::ReadEngineInfo const&) { return "docker info"; }},
      call);
}

}  // namespace

DockerEngine::DockerEngine(runtime::AsioLoop& loop, DockerEngineOptions options)
    : loop_(loop),
      api_(loop, std::move(options.address)),
      calls_(
          loop, api_, std::move(options.docker_config_folder), [this](model::PullProgress progress) { hint(std::move(progress)); },
          std::move(options.dns_at)),
      watch_(loop, api_, gate_, [this](model::EngineHint what) { hint(std::move(what)); }),
      gate_(loop) {}

DockerEngine::~DockerEngine() = default;

void DockerEngine::call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) {
  auto const name = name_of(call);
  runtime::spawn(gate_, name, async_run_call(std::move(call), deadline, std::move(done)));
}

asio::awaitable<void> DockerEngine::async_run_call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) {
  std::optional<Result<model::EngineReply>> reply;
  try {
    reply.emplace(co_await calls_.async_perform(std::move(call), deadline));
  } catch (std::exception const& thrown) {
    if (gate_.is_closed()) throw;  // cancelled by stop()
    reply.emplace(fail(Code::Internal, thrown.what()));
  }
  // stop() may have come between the answer and this line.
  if (!gate_.is_closed()) done(std::move(*reply));
}

void DockerEngine::watch(std::function<void(model::EngineHint)> on_hint) {
  on_hint_ = std::move(on_hint);
  runtime::spawn(gate_, "docker watch", watch_.async_run());
}

void DockerEngine::hint(model::EngineHint hint) {
  if (on_hint_ && !gate_.is_closed()) on_hint_(std::move(hint));
}

std::unique_ptr<ports::LogReader> DockerEngine::read_logs(ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                                          std::function<void(Status)> on_end) {
  auto flow = std::make_shared<LogFlow>(loop_, std::move(query));
  // A line that comes between stop() and the end of the coroutine is nobody's.
  flow->on_line = [this, on_line = std::move(on_line)](ports::LogLine line) {
    if (!gate_.is_closed()) on_line(std::move(line));
  };
  flow->on_end = std::move(on_end);
  runtime::spawn(gate_, "docker logs", async_run_log(flow));
  return std::make_unique<LogHandle>(std::move(flow));
}

asio::awaitable<void> DockerEngine::async_run_log(std::shared_ptr<LogFlow> flow) {
  Status end;
  try {
    end = co_await async_read_log(&loop_, &api_, flow);
  } catch (std::exception const& thrown) {
    if (gate_.is_closed()) throw;  // cancelled by stop()
    end = fail(Code::Internal, thrown.what());
  }
  if (!flow->abandoned && !gate_.is_closed()) flow->on_end(std::move(end));
}

void DockerEngine::find_dns() {
  constexpr Duration kLimit = 10s;
  runtime::spawn(gate_, "docker inspect network", calls_.async_find_dns(loop_.now().monotonic + kLimit));
}

void DockerEngine::stop() { gate_.close(); }

}  // namespace davit::engine_docker
