// What the tests of the ingress speak to it with: a server with a name on loopback, and blocking clients.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/fd.hpp"

namespace davit::ingress {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline std::uint16_t port_of(runtime::Fd const& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

inline runtime::Fd bound(int type, std::uint16_t port = 0, int backlog = 1024) {
  runtime::Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  int const yes = 1;
  if (type == SOCK_STREAM) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  auto const address = loopback(port);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr const*>(&address), sizeof(address)), 0) << std::strerror(errno);
  if (type == SOCK_STREAM) EXPECT_EQ(::listen(socket.get(), backlog), 0);
  return socket;
}

// Where nothing listens: outside the range from which the kernel takes ports by itself, of the test's own sockets for one.
inline std::uint16_t free_port(int type = SOCK_STREAM) {
  constexpr std::uint32_t kFirst = 10'000;
  constexpr std::uint32_t kCount = 5'000;
  static std::uint32_t next = static_cast<std::uint32_t>(::getpid()) * 7;
  for (std::uint32_t tries = 0; tries < kCount; ++tries) {
    auto const port = static_cast<std::uint16_t>(kFirst + next++ % kCount);
    auto const address = loopback(port);
    runtime::Fd const probe(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
    if (::bind(probe.get(), reinterpret_cast<sockaddr const*>(&address), sizeof(address)) == 0) return port;
  }
  ADD_FAILURE() << "no port is free";
  return 0;
}

inline runtime::Fd connect_to(std::uint16_t port, int type = SOCK_STREAM) {
  runtime::Fd socket(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  auto const address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<sockaddr const*>(&address), sizeof(address)) != 0) return {};
  timeval const limit{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  return socket;
}

inline bool say(runtime::Fd const& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const count = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Until so many bytes have come, or the end: then `*error` says whether it was one in good order.
inline std::string hear(runtime::Fd const& socket, std::size_t bytes, int* error = nullptr) {
  std::string all;
  std::string buffer(1 << 16, '\0');
  while (all.size() < bytes) {
    auto const count = ::recv(socket.get(), buffer.data(), std::min(buffer.size(), bytes - all.size()), 0);
    if (count <= 0) {
      if (error) *error = count < 0 ? errno : 0;
      break;
    }
    all.append(buffer, 0, static_cast<std::size_t>(count));
  }
  return all;
}
inline std::string hear_all(runtime::Fd const& socket, int* error = nullptr) { return hear(socket, SIZE_MAX, error); }

inline void reset(runtime::Fd socket) {
  linger const at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

// Answers every connection with its name and then with what it hears, until that ends.
class EchoServer {
 public:
  explicit EchoServer(char name, std::uint16_t port = 0) : name_(name), socket_(bound(SOCK_STREAM, port)), thread_([this] { run(); }) {}
  ~EchoServer() { stop(); }

  std::uint16_t port() const { return port_of(socket_); }
  void stop() {
    is_stopped_ = true;
    if (thread_.joinable()) thread_.join();
    socket_.reset();
  }

 private:
  struct Client {
    runtime::Fd socket;
    std::string unsaid;
    bool has_ended = false;
  };

  void run() {
    while (!is_stopped_) {
      std::vector<pollfd> polled{{.fd = socket_.get(), .events = POLLIN, .revents = 0}};
      for (auto const& client : clients_) {
        short const events = static_cast<short>((client.has_ended || client.unsaid.size() > (1U << 20) ? 0 : POLLIN) |
                                                (client.unsaid.empty() ? 0 : POLLOUT));
        polled.push_back({.fd = client.socket.get(), .events = events, .revents = 0});
      }
      if (::poll(polled.data(), polled.size(), 5) <= 0) continue;
      std::size_t const known = clients_.size();
      for (std::size_t i = 0; i < known; ++i) serve(clients_[i], polled[i + 1].revents);
      std::erase_if(clients_, [](Client const& client) { return !client.socket; });
      if ((polled[0].revents & POLLIN) != 0) {
        runtime::Fd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket) clients_.push_back({.socket = std::move(socket), .unsaid = std::string(1, name_)});
      }
    }
    clients_.clear();
  }
  void serve(Client& client, short events) const {
    if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) {
      std::string buffer(1 << 16, '\0');
      auto const count = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
      if (count > 0) client.unsaid.append(buffer, 0, static_cast<std::size_t>(count));
      else if (count == 0) client.has_ended = true;
      else if (errno != EAGAIN) return client.socket.reset();
    }
    if (!client.unsaid.empty()) {
      auto const count = ::send(client.socket.get(), client.unsaid.data(), client.unsaid.size(), MSG_NOSIGNAL);
      if (count > 0) client.unsaid.erase(0, static_cast<std::size_t>(count));
      else if (count < 0 && errno != EAGAIN) return client.socket.reset();
    }
    if (client.has_ended && client.unsaid.empty()) client.socket.reset();
  }

  char const name_;
  runtime::Fd socket_;
  std::vector<Client> clients_;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

// Answers each datagram with its name and the datagram.
class DatagramServer {
 public:
  explicit DatagramServer(char name) : name_(name), socket_(bound(SOCK_DGRAM)), thread_([this] { run(); }) {}
  ~DatagramServer() { stop(); }

  std::uint16_t port() const { return port_of(socket_); }
  void stop() {
    is_stopped_ = true;
    if (thread_.joinable()) thread_.join();
    socket_.reset();
  }

 private:
  void run() const {
    while (!is_stopped_) {
      pollfd polled{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&polled, 1, 5) <= 0) continue;
      std::string buffer(1 << 16, '\0');
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      auto const count = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 0) continue;
      auto const answer = name_ + buffer.substr(0, static_cast<std::size_t>(count));
      ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr const*>(&from), size);
    }
  }

  char const name_;
  runtime::Fd socket_;
  std::atomic<bool> is_stopped_ = false;
  std::thread thread_;
};

}  // namespace davit::ingress
