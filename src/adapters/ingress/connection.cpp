#include "adapters/ingress/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "adapters/ingress/listening.hpp"
#include "adapters/ingress/proxy_header.hpp"

namespace davit::ingress {
namespace {

constexpr std::uint32_t kAllEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 20;  // then others have their turn

int error_of(int socket) {
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool has_unsent(int socket) {
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

// What this node lacks is no fault of the instance's.
bool is_own_lack(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL; }

}  // namespace

Connection::Connection(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd client, Address const& client_address,
                       std::function<void()> on_over)
    : loop_(loop),
      route_(std::move(route)),
      client_address_(client_address),
      on_over_(std::move(on_over)),
      give_up_at_(loop.now() + kSeekFor),
      timer_(loop) {
  client_.socket = std::move(client);
}

Connection::~Connection() {
  release_backend();
  route_->leave();
}

void Connection::seek() {
  if (loop_.now() >= give_up_at_) return end(true);
  while ((target_ = route_->choose(tried_, loop_.now()))) {
    if (try_backend()) return;
  }
  if (error_of(client_.socket.get()) != 0) return end(true);
  tried_.clear();
  timer_.set(std::min(loop_.now() + kSeekAgain, give_up_at_), [this] { seek(); });
}

bool Connection::try_backend() {
  auto const& address = target_->address;
  backend_->socket.reset(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  bool const is_made = static_cast<bool>(backend_->socket);
  bool const is_connected = is_made && ::connect(backend_->socket.get(), address.get(), address.size) == 0;
  bool const is_under_way = is_made && !is_connected && errno == EINPROGRESS;
  if ((is_connected || is_under_way) && !loop_.watch(backend_->socket.get(), kAllEdges, *backend_)) {
    end(true);
    return true;
  }
  if (is_connected) {
    on_connected();
    return true;
  }
  if (is_under_way) {
    timer_.set(loop_.now() + kConnectLimit, [this] {
      on_refused();
      seek();
    });
    return true;
  }
  if (is_own_lack(errno)) {
    route_->complain(fmt::format("no connection to {}: {}", to_string(address), std::strerror(errno)), loop_.now());
    tried_.insert(target_->backend.instance);
    release_backend();
    return false;
  }
  on_refused();
  return false;
}

void Connection::on_refused() {
  route_->refused(target_->backend.instance, loop_.now());
  tried_.insert(target_->backend.instance);
  release_backend();
  if (backend_->socket) loop_.forget(backend_->socket.get());
  loop_.bury(std::exchange(backend_, std::make_unique<Side>(*this)));
}

void Connection::on_connected() {
  timer_.clear();
  tune(backend_->socket.get());
  if (target_->backend.proxy_protocol) {
    Address server;
    ::getsockname(client_.socket.get(), server.get(), &server.size);
    auto const header = proxy_header(client_address_, server);
    auto const sent = ::send(backend_->socket.get(), header.data(), header.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(header.size())) {  // a fresh socket has room for it
      on_refused();
      return seek();
    }
  }
  state_ = State::Carrying;
  if (!loop_.watch(client_.socket.get(), kAllEdges, client_)) return end(true);
  client_.is_readable = client_.is_writable = backend_->is_readable = backend_->is_writable = true;
  to_backend_.emplace(client_, *backend_);
  to_client_.emplace(*backend_, client_);
  carry();
}

void Connection::on_ready(Side& side, std::uint32_t events) {
  if (state_ == State::Over || (&side != &client_ && &side != backend_.get())) return;
  if (state_ == State::Seeking) {
    if (error_of(side.socket.get()) == 0 && (events & EPOLLOUT) != 0) return on_connected();
    on_refused();
    return seek();
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.is_readable = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) side.is_writable = true;
  carry();
  // A reset that no reading or writing has met: what is still to be said to the other side cannot be said any more.
  if (state_ == State::Carrying && (events & EPOLLERR) != 0 && !is_to_go_on_) end(true);
}

void Connection::carry() {
  bool has_more = false;
  for (auto* const way : {&*to_backend_, &*to_client_}) {
    auto budget = kMostAtOnce;
    auto step = Step::Moved;
    while (step == Step::Moved && budget > 0) step = move(*way, budget);
    if (step == Step::Failed) return end(true);
    has_more |= budget == 0;
    if (way->in_pipe == 0 && way->pipe) {
      loop_.pipes().give_back(*std::move(way->pipe));
      way->pipe.reset();
    }
  }
  if (to_backend_->has_ended && to_client_->has_ended) return end(false);
  if (!has_more || std::exchange(is_to_go_on_, true)) return;
  timer_.set(loop_.now(), [this] {
    is_to_go_on_ = false;
    carry();
  });
}

Connection::Step Connection::move(Way& way, std::size_t& budget) {
  auto const before = way.in_pipe;
  auto const step = before > 0 ? empty(way) : fill(way);
  if (step == Step::Moved && before > way.in_pipe) budget -= std::min(budget, before - way.in_pipe);
  return step;
}

Connection::Step Connection::fill(Way& way) {
  if (way.has_ended || !way.from.is_readable) return Step::Blocked;
  if (!way.pipe && !(way.pipe = loop_.pipes().take())) {
    route_->complain(fmt::format("no pipe: {}", std::strerror(errno)), loop_.now());
    return Step::Failed;
  }
  auto const count = ::splice(way.from.socket.get(), nullptr, way.pipe->in.get(), nullptr, kMostAtOnce, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (count > 0) {
    way.in_pipe = static_cast<std::size_t>(count);
    way.has_moved = true;
    return Step::Moved;
  }
  auto const error = count < 0 ? errno : 0;
  if (error == EINTR) return Step::Moved;
  if (error == EAGAIN) {
    way.from.is_readable = false;
    return Step::Blocked;
  }
  if (&way.from == backend_.get()) on_backend_ended();
  if (error != 0) return Step::Failed;
  way.has_ended = true;
  ::shutdown(way.to.socket.get(), SHUT_WR);
  return Step::Blocked;
}

Connection::Step Connection::empty(Way& way) {
  if (!way.to.is_writable) return Step::Blocked;
  auto const count = ::splice(way.pipe->out.get(), nullptr, way.to.socket.get(), nullptr, way.in_pipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (count > 0) {
    way.in_pipe -= static_cast<std::size_t>(count);
    return Step::Moved;
  }
  if (count < 0 && errno == EINTR) return Step::Moved;
  if (count == 0 || errno != EAGAIN) return Step::Failed;
  way.to.is_writable = false;
  return Step::Blocked;
}

// Docker's proxy takes connections for a container that is gone, and ends them without a word. What was sent cannot be sent again; but the
// next connections are to go elsewhere.
void Connection::on_backend_ended() {
  if (!to_client_->has_moved && !to_backend_->has_ended) route_->refused(target_->backend.instance, loop_.now());
}

void Connection::release_backend() {
  if (!target_) return;
  route_->release(target_->backend.instance);
  target_.reset();
}

// A reset goes on to the other side, but not in front of bytes that are still on their way there: an answer may come before a reset.
void Connection::end(bool with_reset) {
  if (std::exchange(state_, State::Over) == State::Over) return;
  timer_.clear();
  for (auto* const side : {&client_, backend_.get()}) {
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    if (with_reset && side->socket && !has_unsent(side->socket.get()))
      ::setsockopt(side->socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    if (side->socket) loop_.forget(side->socket.get());
    side->socket.reset();
  }
  release_backend();
  on_over_();
}

}  // namespace davit::ingress
