// Takes the connections to one ingress port, as far as this thread gets them. Owned by a Worker; its thread.
#pragma once

#include <functional>
#include <memory>

#include "adapters/ingress/address.hpp"
#include "adapters/ingress/io_loop.hpp"
#include "adapters/ingress/route.hpp"
#include "runtime/fd.hpp"

namespace davit::ingress {

class Acceptor final : public Watched {
 public:
  // What is accepted has entered the route.
  using OnAccepted = std::function<void(runtime::Fd client, Address const& address)>;

  Acceptor(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd socket, OnAccepted on_accepted);

  void close();  // before it goes
  void on_ready(std::uint32_t events) override;

 private:
  static constexpr Duration kPause = std::chrono::milliseconds(100);

  void begin();
  bool accept_one();  // false: there is none, or it must wait
  void pause();

  IoLoop& loop_;
  std::shared_ptr<Route> route_;
  runtime::Fd socket_;
  OnAccepted on_accepted_;
  Timer timer_;
};

}  // namespace davit::ingress
