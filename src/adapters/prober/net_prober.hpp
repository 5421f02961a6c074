// ports::Prober over real sockets: a TCP connection, or a GET request over a connection of its own.
// Owned by the app for the process's life, until is_stopped(); control thread.
#pragma once

#include "ports/prober.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::prober {

class NetProber final : public ports::Prober {
 public:
  explicit NetProber(runtime::AsioLoop& loop) : loop_(loop), gate_(loop) {}

  void probe(model::ProbeTarget target, Monotonic deadline, ports::Done<void> done) override;
  void stop() { gate_.close(); }  // probes under way end without a word
  bool is_stopped() const { return gate_.is_closed() && gate_.count() == 0; }

 private:
  boost::asio::awaitable<void> async_run(model::ProbeTarget target, Monotonic deadline, ports::Done<void> done);

  runtime::AsioLoop& loop_;
  runtime::Gate gate_;  // last: what runs in it uses the rest
};

}  // namespace davit::prober
