#include "sim/net/connection.hpp"

#include <algorithm>
#include <utility>

namespace davit::sim {
namespace {

constexpr std::size_t kSocketBuffer = 64;  // messages; what is more waits in the process
constexpr Duration kRetransmitWithin = 1s;

}  // namespace

std::shared_ptr<Connection> Connection::open(Network& network, Side client, Side server) {
  auto connection = std::make_shared<Connection>(network, std::move(client), std::move(server));
  connection->id_ = network.attach(*connection);
  connection->watch_answers();
  return connection;
}

Connection::Connection(Network& network, Side client, Side server)
    : network_(network),
      sides_{State{std::move(client), true, true, {}, network.loop().make_timer(), network.loop().make_timer()},
             State{std::move(server), true, true, {}, network.loop().make_timer(), network.loop().make_timer()}} {}

Connection::~Connection() { network_.detach(id_); }

void Connection::send(End from, Message message, Monotonic valid_until) {
  auto& sender = state(from);
  if (!sender.is_open) return;
  if (valid_until != kNever) {
    bool const fits = sender.sent.size() < kSocketBuffer;
    if (!fits || valid_until <= sender.side.process.now().monotonic) {
      if (sender.side.on_dropped) sender.side.process.post(sender.side.on_dropped);
      return;
    }
  }
  bool const may_be_doubled = !std::holds_alternative<Thunk>(message);
  if (may_be_doubled && network_.is_doubled(sender.side.host, state(other(from)).side.host)) push(from, message);
  push(from, std::move(message));
}

void Connection::push(End from, std::optional<Message> message) {
  auto& sender = state(from);
  auto const last = sender.sent.empty() ? Monotonic{} : sender.sent.back().arrives;
  auto const arrives = network_.loop().now().monotonic + network_.delay(sender.side.host, state(other(from)).side.host);
  sender.sent.push_back({std::max(last, arrives), std::move(message)});
  if (sender.sent.size() == 1) pump(from);
}

// Delivers what has arrived; the rest waits for its time, or for the link.
void Connection::pump(End from) {
  auto const self = shared_from_this();
  auto& sender = state(from);
  auto const& receiver = state(other(from));
  while (!sender.sent.empty() && network_.passes(sender.side.host, receiver.side.host)) {
    if (sender.sent.front().arrives > network_.loop().now().monotonic) {
      return sender.arrival->set(sender.sent.front().arrives, [this, from] { pump(from); });
    }
    auto item = std::move(sender.sent.front());
    sender.sent.pop_front();
    arrive(other(from), std::move(item.message));
  }
}

void Connection::arrive(End at, std::optional<Message> message) {
  auto& receiver = state(at);
  if (!receiver.is_open) return;
  if (!message) return end(at);
  if (receiver.side.process.is_idle()) return receiver.side.on_message(std::move(*message));
  receiver.side.process.post([self = shared_from_this(), at, message = std::move(*message)]() mutable {
    if (self->is_open(at)) self->state(at).side.on_message(std::move(message));
  });
}

// This side learns that the connection is no more.
void Connection::end(End at) {
  auto& ended = state(at);
  if (!std::exchange(ended.is_open, false)) return;
  ended.given_up->cancel();
  ended.side.process.post([self = shared_from_this(), at] {
    if (self->state(at).is_wanted) self->state(at).side.on_closed();
  });
}

void Connection::close(End by) {
  auto& closing = state(by);
  closing.is_wanted = false;
  if (!std::exchange(closing.is_open, false)) return;
  closing.given_up->cancel();
  push(by, std::nullopt);
}

void Connection::reset() {
  auto const self = shared_from_this();
  for (auto const side : {End::Client, End::Server}) {
    state(side).sent.clear();
    state(side).arrival->cancel();
    end(side);
  }
}

bool Connection::is_between(HostId a, HostId b) const {
  auto const client = sides_[0].side.host;
  auto const server = sides_[1].side.host;
  return (client == a && server == b) || (client == b && server == a);
}

void Connection::on_link_changed(HostId from, HostId to) {
  if (!is_between(from, to)) return;
  auto const self = shared_from_this();
  watch_answers();
  auto const sender = state(End::Client).side.host == from ? End::Client : End::Server;
  auto& sent = state(sender).sent;
  if (sent.empty() || !network_.passes(from, to)) return;
  auto const resent = network_.loop().now().monotonic + network_.random().between(0ns, kRetransmitWithin);
  for (auto& item : sent) item.arrives = std::max(item.arrives, resent);
  pump(sender);
}

// Acknowledgements need both ways: each side's kernel gives up after a while without them.
void Connection::watch_answers() {
  bool const has_answers = network_.passes_both_ways(sides_[0].side.host, sides_[1].side.host);
  for (auto const side : {End::Client, End::Server}) {
    auto& waiting = state(side);
    if (has_answers || !waiting.is_open) {
      waiting.given_up->cancel();
      continue;
    }
    auto const limit = network_.random().between(Duration(5s), Duration(20s));
    waiting.given_up->set(network_.loop().now().monotonic + limit, [this, side] {
      auto const self = shared_from_this();
      state(side).sent.clear();
      end(side);
      push(side, std::nullopt);  // what the other side hears, should it send something once the link passes again
    });
  }
}

void Connection::on_process_ended(ProcessLoop const& process) {
  auto const self = shared_from_this();
  for (auto const side : {End::Client, End::Server}) {
    if (&state(side).side.process == &process) close(side);
  }
}

}  // namespace davit::sim
