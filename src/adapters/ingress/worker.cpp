#include "adapters/ingress/worker.hpp"

#include <algorithm>
#include <latch>
#include <utility>

#include <signal.h>

namespace davit::ingress {
namespace {

// Signals are the main thread's. SIGPIPE, which splice raises on a socket that was reset, stays away as well.
std::thread start_without_signals(IoLoop& loop) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread([&loop] { loop.run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

Worker::Worker() : thread_(start_without_signals(loop_)) {}

void Worker::stop() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void Worker::listen(std::shared_ptr<Route> route, runtime::Fd socket) {
  auto const port = route->port();
  auto const shared = std::make_shared<runtime::Fd>(std::move(socket));  // std::function copies
  loop_.post([this, port, route = std::move(route), shared] {
    if (port.protocol == model::Protocol::Udp) {
      datagrams_[port] = std::make_unique<Datagrams>(loop_, route, std::move(*shared));
      return;
    }
    acceptors_[port] = std::make_unique<Acceptor>(
        loop_, route, std::move(*shared),
        [this, route](runtime::Fd client, Address const& address) { accept(route, std::move(client), address); });
  });
}

void Worker::close_blocking(Port port) {
  std::latch done(1);
  loop_.post([this, port, &done] {
    if (auto acceptor = acceptors_.extract(port)) {
      acceptor.mapped()->close();
      loop_.bury(std::move(acceptor.mapped()));
    }
    if (auto datagrams = datagrams_.extract(port)) {
      datagrams.mapped()->close();
      loop_.bury(std::move(datagrams.mapped()));
    }
    done.count_down();
  });
  done.wait();
}

void Worker::accept(std::shared_ptr<Route> const& route, runtime::Fd client, Address const& address) {
  auto& who = who_carries();
  ++who.load_;
  if (&who == this) return carry(route, std::move(client), address);
  auto const shared = std::make_shared<runtime::Fd>(std::move(client));
  who.loop_.post([&who, route, shared, address] { who.carry(route, std::move(*shared), address); });
}

Worker& Worker::who_carries() {
  auto* const least = *std::ranges::min_element(all_, {}, [](Worker const* each) { return each->load_.load(); });
  return load_ >= least->load_ + kSlack ? *least : *this;
}

void Worker::carry(std::shared_ptr<Route> const& route, runtime::Fd client, Address const& address) {
  auto const id = ++next_connection_;
  auto& connection = connections_[id];
  connection = std::make_unique<Connection>(loop_, route, std::move(client), address, [this, id] {
    auto over = connections_.extract(id);
    loop_.bury(std::move(over.mapped()));
    --load_;
  });
  connection->begin();
}

}  // namespace davit::ingress
