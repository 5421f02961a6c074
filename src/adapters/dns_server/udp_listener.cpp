#include "adapters/dns_server/udp_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace davit::dns_server {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kBatch = 32;
constexpr int kBatchesPerTurn = 16;         // then TCP and forwarded answers have theirs
constexpr std::size_t kMostQuery = 1500;    // bytes; a longer one is cut off and so malformed

// The address that was asked, as the one to answer from. The interface is left to the routing table.
void leave_interface_open(msghdr& header) {
  for (auto* part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) reinterpret_cast<in_pktinfo*>(CMSG_DATA(part))->ipi_ifindex = 0;
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
      reinterpret_cast<in6_pktinfo*>(CMSG_DATA(part))->ipi6_ifindex = 0;
  }
}

}  // namespace

struct UdpListener::Batch {
  std::array<Client, kBatch> clients;
  std::array<std::array<std::uint8_t, kMostQuery>, kBatch> queries;
  std::array<std::array<std::uint8_t, dns::kUdpLimit>, kBatch> replies;
  std::array<iovec, kBatch> query_parts;
  std::array<iovec, kBatch> reply_parts;
  std::array<mmsghdr, kBatch> received;
  std::array<mmsghdr, kBatch> sent;

  void prepare() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      query_parts[i] = {queries[i].data(), queries[i].size()};
      received[i] = {};
      auto& header = received[i].msg_hdr;
      header.msg_name = &clients[i].peer.storage;
      header.msg_namelen = sizeof(sockaddr_storage);
      header.msg_control = clients[i].control.data();
      header.msg_controllen = clients[i].control.size();
      header.msg_iov = &query_parts[i];
      header.msg_iovlen = 1;
    }
  }
};

UdpListener::UdpListener(runtime::AsioLoop& loop, runtime::Fd socket, bool is_v6, Answer answer)
    : socket_(loop.context(), is_v6 ? asio::ip::udp::v6() : asio::ip::udp::v4(), socket.release()),
      answer_(std::move(answer)),
      batch_(std::make_unique<Batch>()) {}

UdpListener::~UdpListener() = default;

asio::awaitable<void> UdpListener::async_run(std::shared_ptr<UdpListener> self) {
  while (true) {
    auto const [error] = co_await self->socket_.async_wait(asio::ip::udp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error || !self->socket_.is_open()) co_return;
    for (int i = 0; i < kBatchesPerTurn && self->serve_batch(); ++i) {
    }
  }
}

bool UdpListener::serve_batch() {
  auto& batch = *batch_;
  batch.prepare();
  int const count = recvmmsg(socket_.native_handle(), batch.received.data(), kBatch, MSG_DONTWAIT, nullptr);
  std::size_t replies = 0;
  for (int i = 0; i < count; ++i) {
    auto const at = static_cast<std::size_t>(i);
    auto& [header, size] = batch.received[at];
    auto& client = batch.clients[at];
    client.peer.size = header.msg_namelen;
    client.control_size = header.msg_controllen;
    if (port_of(client.peer.storage) == 0) continue;  // nobody can be reached there
    auto const answered = answer_(client, dns::Bytes(batch.queries[at]).first(size), batch.replies[replies]);
    if (answered == 0) continue;
    leave_interface_open(header);
    batch.reply_parts[replies] = {batch.replies[replies].data(), answered};
    batch.sent[replies] = {.msg_hdr = header, .msg_len = 0};
    batch.sent[replies].msg_hdr.msg_iov = &batch.reply_parts[replies];
    ++replies;
  }
  send_batch(replies);
  return count == static_cast<int>(kBatch);
}

// Who has no room for an answer, or cannot be reached, asks again.
void UdpListener::send_batch(std::size_t count) {
  for (std::size_t done = 0; done < count;) {
    int const sent = sendmmsg(socket_.native_handle(), &batch_->sent[done], static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    done += sent > 0 ? static_cast<std::size_t>(sent) : 1;
  }
}

void UdpListener::send(Client const& client, dns::Bytes reply) {
  if (!socket_.is_open()) return;
  auto to = client;
  iovec part{const_cast<std::uint8_t*>(reply.data()), reply.size()};
  msghdr header{};
  header.msg_name = &to.peer.storage;
  header.msg_namelen = to.peer.size;
  header.msg_control = to.control_size > 0 ? to.control.data() : nullptr;
  header.msg_controllen = to.control_size;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  leave_interface_open(header);
  static_cast<void>(sendmsg(socket_.native_handle(), &header, MSG_DONTWAIT));
}

void UdpListener::close() {
  boost::system::error_code ignored;
  static_cast<void>(socket_.close(ignored));
}

}  // namespace davit::dns_server
