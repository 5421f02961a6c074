#include "adapters/ingress/acceptor.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace davit::ingress {
namespace {

constexpr int kMostAtOnce = 64;

void reset(runtime::Fd client) {
  linger const at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

}  // namespace

Acceptor::Acceptor(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd socket, OnAccepted on_accepted)
    : loop_(loop),
      route_(std::move(route)),
      socket_(std::move(socket)),
      on_accepted_(std::move(on_accepted)),
      timer_(loop) {
  begin();
}

// All threads wait for the same connections; each wakes one of them.
void Acceptor::begin() {
  if (!loop_.watch(socket_.get(), EPOLLIN | EPOLLEXCLUSIVE, *this)) pause();
}

void Acceptor::close() {
  timer_.clear();
  loop_.forget(socket_.get());
  socket_.reset();
}

void Acceptor::on_ready(std::uint32_t) {
  if (!socket_) return;
  for (int i = 0; i < kMostAtOnce; ++i) {
    if (!accept_one()) return;
  }
}

bool Acceptor::accept_one() {
  Address address;
  runtime::Fd client(::accept4(socket_.get(), address.get(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client) {
    if (route_->enter(loop_.now())) on_accepted_(std::move(client), address);
    else reset(std::move(client));
    return true;
  }
  switch (errno) {
    case EAGAIN: return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      route_->complain(fmt::format("{}: it waits", std::strerror(errno)), loop_.now());
      pause();
      return false;
    default: return true;  // it went away in the queue
  }
}

// Until others have ended: the connection stays in the kernel's queue, which would wake this thread for ever.
void Acceptor::pause() {
  loop_.forget(socket_.get());
  timer_.set(loop_.now() + kPause, [this] { begin(); });
}

}  // namespace davit::ingress
