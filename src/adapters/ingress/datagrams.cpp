#include "adapters/ingress/datagrams.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace davit::ingress {
namespace {

constexpr std::size_t kMostBytes = 65'536;
constexpr std::size_t kMostKept = 4'096;  // of a datagram that may have to be said again
constexpr int kMostAtOnce = 64;
constexpr Duration kSweepEach = std::chrono::seconds(1);
constexpr std::size_t kControlSize = 128;

// The control message that makes an answer leave from the address that was asked.
template <class Info>
std::string control_message(int level, int type, Info const& info) {
  std::string bytes(CMSG_SPACE(sizeof(info)), '\0');
  auto* const header = reinterpret_cast<cmsghdr*>(bytes.data());
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof(info));
  std::memcpy(CMSG_DATA(header), &info, sizeof(info));
  return bytes;
}

std::string answer_control(msghdr& message) {
  for (auto* each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(each), sizeof(info));
      if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
      return control_message(IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
    if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(each), sizeof(info));
      in_pktinfo const source{.ipi_ifindex = 0, .ipi_spec_dst = info.ipi_addr, .ipi_addr = {}};
      return control_message(IPPROTO_IP, IP_PKTINFO, source);
    }
  }
  return {};
}

}  // namespace

Datagrams::Datagrams(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd socket)
    : loop_(loop),
      route_(std::move(route)),
      socket_(std::move(socket)),
      buffer_(kMostBytes),
      timer_(loop) {
  loop_.watch(socket_.get(), EPOLLIN, *this);
  timer_.set(loop_.now() + kSweepEach, [this] { sweep(); });
}

Datagrams::~Datagrams() { close(); }

void Datagrams::close() {
  timer_.clear();
  while (!sessions_.empty()) end(sessions_.begin()->first);
  if (socket_) loop_.forget(socket_.get());
  socket_.reset();
}

void Datagrams::on_ready(std::uint32_t) {
  for (int i = 0; socket_ && i < kMostAtOnce; ++i) {
    if (!take_one()) return;
  }
}

bool Datagrams::take_one() {
  Ends ends;
  std::array<char, kControlSize> control{};
  iovec data{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
  msghdr message{.msg_name = &ends.client.storage,
                 .msg_namelen = ends.client.size,
                 .msg_iov = &data,
                 .msg_iovlen = 1,
                 .msg_control = control.data(),
                 .msg_controllen = control.size(),
                 .msg_flags = 0};
  auto const count = ::recvmsg(socket_.get(), &message, 0);
  if (count < 0) return errno != EAGAIN;  // else a client that takes no answers: no matter
  ends.client.size = message.msg_namelen;
  ends.control = answer_control(message);
  ends.key = bytes_of(ends.client) + ends.control;
  if (auto* const session = session_of(std::move(ends))) pass_on(*session, {buffer_.data(), static_cast<std::size_t>(count)});
  return true;
}

Datagrams::Session* Datagrams::session_of(Ends ends) {
  auto const known = sessions_.find(ends.key);
  if (known != sessions_.end()) return known->second.get();
  if (!route_->enter(loop_.now())) return nullptr;
  auto const key = ends.key;
  return sessions_.emplace(key, std::make_unique<Session>(*this, std::move(ends))).first->second.get();
}

// What cannot be said now is lost, as datagrams may be.
void Datagrams::pass_on(Session& session, std::string_view datagram) {
  session.last_heard = loop_.now();
  if (!session.target && !connect(session)) return end(std::string(session.ends.key));
  session.unanswered = datagram.size() <= kMostKept ? datagram : std::string_view();
  auto const sent = ::send(session.socket.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno == ECONNREFUSED) on_refused(session);
}

bool Datagrams::connect(Session& session) {
  while ((session.target = route_->choose(session.tried, loop_.now()))) {
    auto const& address = session.target->address;
    session.socket.reset(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    bool const is_connected = session.socket && ::connect(session.socket.get(), address.get(), address.size) == 0;
    if (is_connected && loop_.watch(session.socket.get(), EPOLLIN, session)) return true;
    route_->complain(std::strerror(errno), loop_.now());
    session.tried.insert(session.target->backend.instance);
    route_->release(session.target->backend.instance);
  }
  return false;
}

void Datagrams::on_answer(Session& session) {
  for (int i = 0; session.socket && i < kMostAtOnce; ++i) {
    auto const count = ::recv(session.socket.get(), buffer_.data(), buffer_.size(), 0);
    if (count < 0 && errno == ECONNREFUSED) return on_refused(session);
    if (count < 0) return;
    session.last_heard = loop_.now();
    session.unanswered.clear();
    session.tried.clear();
    answer(session, {buffer_.data(), static_cast<std::size_t>(count)});
  }
}

// The kernel tells it after the datagram was sent, so that one is said again to the next instance.
void Datagrams::on_refused(Session& session) {
  auto const instance = session.target->backend.instance;
  route_->refused(instance, loop_.now());
  route_->release(instance);
  session.target.reset();
  session.tried.insert(instance);
  loop_.forget(session.socket.get());
  session.socket.reset();
  if (session.unanswered.empty()) return;  // the client's next one seeks another instance
  auto const datagram = std::exchange(session.unanswered, {});
  pass_on(session, datagram);
}

void Datagrams::answer(Session const& session, std::string_view datagram) const {
  iovec data{.iov_base = const_cast<char*>(datagram.data()), .iov_len = datagram.size()};
  msghdr const message{.msg_name = const_cast<sockaddr_storage*>(&session.ends.client.storage),
                       .msg_namelen = session.ends.client.size,
                       .msg_iov = &data,
                       .msg_iovlen = 1,
                       .msg_control = const_cast<char*>(session.ends.control.data()),
                       .msg_controllen = session.ends.control.size(),
                       .msg_flags = 0};
  ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
}

void Datagrams::end(std::string const& key) {
  auto over = sessions_.extract(key);
  auto& session = *over.mapped();
  if (session.target) route_->release(session.target->backend.instance);
  if (session.socket) loop_.forget(session.socket.get());
  session.socket.reset();
  route_->leave();
  loop_.bury(std::move(over.mapped()));
}

void Datagrams::sweep() {
  auto const now = loop_.now();
  std::vector<std::string> over;
  for (auto& [key, session] : sessions_) {
    bool const is_listed = !session->target || route_->is_listed(session->target->backend.instance);
    if (is_listed) session->left_at = kNever;
    else if (session->left_at == kNever) session->left_at = now;
    bool const has_drained = session->left_at != kNever && now - session->left_at >= kDrainLimit;
    if (has_drained || now - session->last_heard >= kIdleLimit) over.push_back(key);
  }
  for (auto const& key : over) end(key);
  timer_.set(now + kSweepEach, [this] { sweep(); });
}

}  // namespace davit::ingress
