#include "sim/net/acceptor.hpp"

#include <utility>

namespace davit::sim {

Acceptor::Acceptor(Place place, std::string address, Dialler::Handlers handlers) : place_(place), handlers_(std::move(handlers)) {
  place_.directory.listen(address, {.host = place_.host,
                                    .process = place_.process,
                                    .accept = [this](NodeId caller) { return accept(caller); },
                                    .on_accepted = [this](NodeId caller, auto connection) { on_accepted(caller, std::move(connection)); }});
}

Connection* Acceptor::find(NodeId caller) const {
  auto const found = calls_.find(caller);
  return found == calls_.end() ? nullptr : found->second.connection.get();
}

// A paused process takes the call when it goes on; until then messages wait before its handlers.
Connection::Side Acceptor::accept(NodeId caller) {
  auto const number = ++last_call_;
  return {.process = place_.process,
          .host = place_.host,
          .on_message =
              [this, caller, number](Message message) {
                if (calls_[caller].number == number) handlers_.on_message(caller, std::move(message));
              },
          .on_closed =
              [this, caller, number] {
                if (calls_[caller].number != number) return;
                calls_.erase(caller);
                handlers_.on_left(caller);
              },
          .on_dropped = [this, caller] { handlers_.on_dropped(caller); }};
}

void Acceptor::on_accepted(NodeId caller, std::shared_ptr<Connection> connection) {
  place_.process.post([this, caller, number = last_call_, connection = std::move(connection)] {
    auto const last = std::exchange(calls_[caller], {number, connection});
    if (last.connection) {
      last.connection->close(End::Server);
      handlers_.on_left(caller);
    }
    handlers_.on_joined(caller);
  });
}

}  // namespace davit::sim
