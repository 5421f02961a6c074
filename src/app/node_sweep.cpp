#include "app/node_sweep.hpp"

#include "app/log_notes.hpp"

namespace davit::app {
namespace {

constexpr Duration kLookInterval = 250ms;

}  // namespace

NodeSweep::NodeSweep(ports::Loop& loop, ports::Registry& consul, master::Master const& master)
    : loop_(loop),
      master_(master),
      driver_(loop, consul, registry::Sweeper(), [](registry::Noted const& note) { log_note("consul", note); }),
      timer_(loop.make_timer()) {
  look();
}

void NodeSweep::stop() {
  timer_->cancel();
  driver_.stop();
}

void NodeSweep::look() {
  driver_.post(registry::Sweeper::Down{.cluster = master_.view().cluster.record.uid, .nodes = master_.nodes_to_sweep()});
  timer_->set(loop_.now().monotonic + kLookInterval, [this] { look(); });
}

}  // namespace davit::app
