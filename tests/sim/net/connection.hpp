// One connection between two processes, as TCP makes it: an ordered stream each way, nothing lost while it stands. It ends when one side
// closes it or dies, is reset, or hears nothing back for too long; then each side learns of it in its own time, and what the one that ended
// it had sent may still arrive.
// Shared by both ends and by nobody else; messages are values, so that what is on its way depends on no living process.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <variant>

#include "model/link.hpp"
#include "model/peer.hpp"
#include "sim/net/network.hpp"
#include "sim/net/process_loop.hpp"

namespace davit::sim {

using Thunk = std::function<void()>;  // of the store's protocol: what the receiver does
using Message = std::variant<model::ToAgent, model::ToMaster, model::PeerMessage, Thunk>;

enum class End : std::uint8_t { Client, Server };
constexpr End other(End end) { return end == End::Client ? End::Server : End::Client; }

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Side {
    ProcessLoop& process;
    HostId host;
    std::function<void(Message)> on_message;
    std::function<void()> on_closed;  // not after one's own close()
    std::function<void()> on_dropped;  // by send(), later
  };

  static std::shared_ptr<Connection> open(Network& network, Side client, Side server);
  Connection(Network& network, Side client, Side server);
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;
  ~Connection();

  bool is_open(End end) const { return sides_[index(end)].is_open; }
  // Dropped where the sender's clock shows `valid_until` already, or will before its kernel takes it.
  void send(End from, Message message, Monotonic valid_until = kNever);
  void close(End by);
  void reset();

  void on_link_changed(HostId from, HostId to);
  void on_process_ended(ProcessLoop const& process);
  bool is_between(HostId a, HostId b) const;

 private:
  struct Item {
    Monotonic arrives;
    std::optional<Message> message;  // none: the sender's end
  };
  struct State {
    Side side;
    bool is_open = true;
    bool is_wanted = true;  // its owner has not closed it
    std::deque<Item> sent;  // on their way to the other side
    std::unique_ptr<ports::Timer> arrival;
    std::unique_ptr<ports::Timer> given_up;  // by this side's kernel, which gets no answer
  };

  static constexpr std::size_t index(End end) { return static_cast<std::size_t>(end); }
  State& state(End end) { return sides_[index(end)]; }
  void push(End from, std::optional<Message> message);
  void pump(End from);
  void arrive(End at, std::optional<Message> message);
  void end(End at);
  void watch_answers();

  Network& network_;
  std::array<State, 2> sides_;
  std::uint64_t id_ = 0;
};

}  // namespace davit::sim
