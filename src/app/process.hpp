// What every process of Davit that runs for long does alike: its start, and its end in good order on SIGTERM or SIGINT.
#pragma once

#include <functional>
#include <memory>

#include "app/settings.hpp"
#include "app/worker_part.hpp"
#include "base/result.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

// Log, signals and limits of the process.
Status prepare_process(Settings const& settings);

// The first signal stops in good order, the second at once: state is durable at any moment.
class Ending {
 public:
  // `worker` may be null; `stop` ends all parts but the loop, and then calls what it is given.
  Ending(runtime::AsioLoop& loop, WorkerPart* worker, bool stop_services, std::function<void(std::function<void()>)> stop);

 private:
  void on_signal();
  void await_services();
  void stop();
  void await_engine();

  runtime::AsioLoop& loop_;
  WorkerPart* worker_;
  bool stop_services_;
  std::function<void(std::function<void()>)> stop_;
  bool is_stopping_ = false;
  Monotonic stop_by_{};
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

}  // namespace davit::app
