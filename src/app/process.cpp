#include "app/process.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kStopServicesLimit = 90s;
constexpr Duration kStopLimit = 10s;

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Status prepare_process(Settings const& settings) {
  TRY_VOID(runtime::init_log(settings.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  return {};
}

Ending::Ending(runtime::AsioLoop& loop, WorkerPart* worker, bool stop_services, std::function<void(std::function<void()>)> stop)
    : loop_(loop),
      worker_(worker),
      stop_services_(stop_services),
      stop_(std::move(stop)) {
  loop_.on_signals({SIGTERM, SIGINT}, [this](int) { on_signal(); });
}

void Ending::on_signal() {
  if (std::exchange(is_stopping_, true)) std::_Exit(1);
  auto& log = runtime::logger("app");
  if (!worker_ || !stop_services_) {
    log.info("stopping{}", worker_ ? "; the containers go on running" : "");
    return stop();
  }
  log.info("stopping all instances, then davit");
  stop_by_ = loop_.now().monotonic + kStopServicesLimit;
  worker_->stop_services();
  await_services();
}

void Ending::await_services() {
  if (worker_->has_stopped_services() || loop_.now().monotonic >= stop_by_) return stop();
  timer_->set(loop_.now().monotonic + 50ms, [this] { await_services(); });
}

void Ending::stop() {
  stop_by_ = loop_.now().monotonic + kStopLimit;
  timer_->set(stop_by_, [this] { loop_.stop(); });
  stop_([this] { await_engine(); });
}

void Ending::await_engine() {
  if (worker_ && !worker_->is_stopped() && loop_.now().monotonic < stop_by_) {
    timer_->set(loop_.now().monotonic + 5ms, [this] { await_engine(); });
    return;
  }
  loop_.stop();
}

}  // namespace davit::app
