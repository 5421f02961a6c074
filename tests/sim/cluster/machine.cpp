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

Place Machine::begin_process() { return {around_.network, around_.directory, begin(lives_), host_, id_}; }

ProcessLoop& Machine::begin_companion() { return begin(companions_); }

ProcessLoop& Machine::begin(std::vector<std::unique_ptr<ProcessLoop>>& lives) {
  auto& process = *lives.emplace_back(std::make_unique<ProcessLoop>(around_.loop(), clock_));
  if (suspensions_ > 0) {
    process.pause();
    suspended_.push_back(&process);
  }
  return process;
}

void Machine::end_process() {
  lives_.back()->kill();
  around_.network.break_all(*lives_.back());
}

void Machine::suspend() {
  if (suspensions_++ > 0) return;
  around_.network.isolate(host_, true);
  for (auto const* lives : {&companions_, &lives_}) {
    if (lives->empty() || !lives->back()->is_alive()) continue;
    lives->back()->pause();
    suspended_.push_back(lives->back().get());
  }
}

void Machine::wake() {
  if (--suspensions_ > 0) return;
  woken_at_ = around_.loop().now().monotonic;
  for (auto* process : std::exchange(suspended_, {})) process->resume();
  around_.network.isolate(host_, false);
}

void Machine::set_clock_rate(std::int64_t parts_per_million) {
  clock_.set_rate(parts_per_million);
  for (auto const* lives : {&companions_, &lives_}) {
    if (!lives->empty() && lives->back()->is_alive() && !lives->back()->is_paused()) lives->back()->rearm();
  }
}

}  // namespace davit::sim
