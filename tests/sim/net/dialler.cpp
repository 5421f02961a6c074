#include "sim/net/dialler.hpp"

#include <algorithm>

namespace davit::sim {
namespace {

constexpr Duration kShortestWait = 50ms;
constexpr Duration kLongestWait = 900ms;  // ports/link.hpp: tried again within a second

}  // namespace

void Dialler::keep_connected(std::vector<model::MasterAddress> const& targets) {
  for (auto known = targets_.begin(); known != targets_.end();) {
    bool const is_kept =
        std::ranges::any_of(targets, [&](auto const& each) { return each.id == known->first && each.address == known->second.address; });
    if (is_kept) {
      ++known;
      continue;
    }
    auto const dropped = std::move(known->second);
    auto const id = known->first;
    known = targets_.erase(known);
    if (!dropped.connection) continue;
    dropped.connection->close(End::Client);
    handlers_.on_left(id);
  }
  for (auto const& [id, address] : targets) {
    auto const [target, is_new] = targets_.try_emplace(id, Target{address, nullptr, place_.process.make_timer()});
    if (is_new) dial_after(id, 0ns);
  }
}

Connection* Dialler::find(NodeId target) const {
  auto const found = targets_.find(target);
  return found == targets_.end() ? nullptr : found->second.connection.get();
}

void Dialler::dial_after(NodeId id, Duration wait) {
  auto const listener = place_.directory.find(targets_.at(id).address);
  auto const round_trip =
      listener ? place_.network.delay(place_.host, listener->host) + place_.network.delay(listener->host, place_.host) : 1ms;
  targets_.at(id).dial->set(place_.process.now().monotonic + wait + round_trip, [this, id] { dial(id); });
}

void Dialler::dial(NodeId id) {
  auto& target = targets_.at(id);
  auto const listener = place_.directory.find(target.address);
  if (!listener || !place_.network.passes_both_ways(place_.host, listener->host)) {
    return dial_after(id, place_.network.random().between(kShortestWait, kLongestWait));
  }
  target.connection = Connection::open(place_.network,
                                       {.process = place_.process,
                                        .host = place_.host,
                                        .on_message = [this, id](Message message) { handlers_.on_message(id, std::move(message)); },
                                        .on_closed = [this, id] { on_closed(id); },
                                        .on_dropped = [this, id] { handlers_.on_dropped(id); }},
                                       listener->accept(place_.self));
  listener->on_accepted(place_.self, target.connection);
  handlers_.on_joined(id);
}

// Of a target that is not kept any more nothing is heard: its connection was closed by us.
void Dialler::on_closed(NodeId id) {
  auto& target = targets_.at(id);
  target.connection.reset();
  handlers_.on_left(id);
  dial_after(id, place_.network.random().between(kShortestWait, kLongestWait));
}

}  // namespace davit::sim
