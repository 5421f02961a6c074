// gRPC for clients, in bytes: calls and two-way streams over connections that are kept up, called by the method's name.
// Owned by an adapter; used on the control thread only. One thread of its own waits for gRPC: there a `Convert` makes of what has
// come the function that the control thread then runs, in the order of arrival. Nothing runs after the Client has gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "ports/loop.hpp"
#include "rpc/stream.hpp"

namespace davit::rpc {

struct Call {
  std::string method;  // "/package.Service/Method"
  Metadata metadata;
  std::string request;
  Monotonic deadline = kNever;
};

class Client {
 public:
  using ConnectionId = std::size_t;  // 0, 1, …
  // As ConvertMessage.
  using ConvertReply = std::function<Task(Outcome, std::string reply)>;

  explicit Client(ports::Loop& loop);
  ~Client();
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  // Connects to "host:port", and anew whenever the connection is lost. `on_change` tells each time that it is there or has gone.
  ConnectionId connect(std::string const& address, std::optional<Tls> const& tls, std::function<void(bool is_there)> on_change);
  // For good: nothing may be asked of it any more, and `on_change` is not called again. Streams over it must have ended.
  void disconnect(ConnectionId connection);
  // `convert` runs exactly once. A call over a connection that is not there waits for it until the deadline, or fails as Unavailable.
  void call(ConnectionId connection, Call call, ConvertReply convert);
  // The stream's end, by the other side or by an error, comes last.
  std::unique_ptr<Stream> open(ConnectionId connection, std::string const& method, Metadata const& metadata, ConvertMessage convert,
                               std::function<void(Outcome)> on_end);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::rpc
