// gRPC for servers, in bytes: two-way streams by the method's name, as rpc/client.hpp opens them.
// Owned by an adapter; used on the control thread only. One thread of its own waits for gRPC. Nothing runs after the Server has gone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "ports/loop.hpp"
#include "rpc/stream.hpp"

namespace davit::rpc {

// A stream that a client wants to open: it is accepted or refused once. One that is dropped is refused as Unavailable.
class Incoming {
 public:
  virtual ~Incoming() = default;
  virtual std::string const& method() const = 0;
  // The first value of that name; or "".
  virtual std::string metadata(std::string const& name) const = 0;
  virtual std::string const& client() const = 0;  // its address
  // The stream's end, whichever side it comes from, comes last.
  virtual std::unique_ptr<Stream> accept(ConvertMessage convert, std::function<void(Outcome)> on_end) = 0;
  virtual void refuse(Outcome outcome) = 0;
};

class Server {
 public:
  using OnStream = std::function<void(std::unique_ptr<Incoming>)>;

  // On "host:port"; port 0 takes a free one. With `tls` every client must show a certificate of that CA.
  static Result<std::unique_ptr<Server>> listen(ports::Loop& loop, std::string const& address, std::optional<Tls> const& tls,
                                                OnStream on_stream);
  ~Server();
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  std::uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::rpc
