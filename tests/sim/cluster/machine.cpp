#include "sim/cluster/machine.hpp"

#include <utility>

namespace davit::sim {

Machine::Machine(Surroundings around, std::string name, NodeId id, Random random)
    : around_(around),
      name_(std::move(name)),
      id_(id),
      host_(around.network.add_host()),
      random_(random),
      clock_(around.loop(), random_.between(Duration(60s), Duration(48h))) {
  clock_.jump_wall(std::chrono::milliseconds(random_.below(1000)) - 500ms);
}

Place Machine::begin_process() {
  auto& process = *lives_.emplace_back(std::make_unique<ProcessLoop>(around_.loop(), clock_));
  if (suspensions_ > 0) {
    process.pause();
    suspended_.push_back(&process);
  }
  return {around_.network, around_.directory, process, host_, id_};
}

void Machine::end_process() {
  lives_.back()->kill();
  around_.network.break_all(*lives_.back());
}

void Machine::suspend() {
  if (suspensions_++ > 0) return;
  around_.network.isolate(host_, true);
  if (auto* running = process()) {
    running->pause();
    suspended_.push_back(running);
  }
}

void Machine::wake() {
  if (--suspensions_ > 0) return;
  for (auto* process : std::exchange(suspended_, {})) process->resume();
  around_.network.isolate(host_, false);
}

void Machine::set_clock_rate(std::int64_t parts_per_million) {
  clock_.set_rate(parts_per_million);
  if (auto* running = process(); running && !running->is_paused()) running->rearm();
}

}  // namespace davit::sim
