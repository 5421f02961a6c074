#include "adapters/ingress/listening.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace davit::ingress {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 4096;

void set(int socket, int level, int option, int value) { ::setsockopt(socket, level, option, &value, sizeof(value)); }

// UDP sockets share a port that is reusable, which would take datagrams from whoever has it.
bool bind_and_listen(int socket, Port port, sockaddr const* address, socklen_t size) {
  bool const is_tcp = port.protocol == model::Protocol::Tcp;
  if (is_tcp) set(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (is_tcp) tune(socket);
  return ::bind(socket, address, size) == 0 && (!is_tcp || ::listen(socket, kBacklog) == 0);
}

std::unexpected<Error> failed(Port port) {
  auto const what = fmt::format("port {}: {}", to_string(port), std::strerror(errno));
  if (errno == EADDRINUSE) return fail(Code::Exists, what);
  if (errno == EACCES || errno == EPERM) return fail(Code::Invalid, what);
  return fail(Code::Unavailable, what);
}

// The sockets that are bound to the port and, with TCP, listen: by their inodes, as in "socket:[4711]".
std::vector<std::string> sockets_on(Port port) {
  constexpr std::string_view kListens = "0A";
  bool const is_tcp = port.protocol == model::Protocol::Tcp;
  std::vector<std::string> found;
  for (auto const* const family : {"", "6"}) {
    std::ifstream table(fmt::format("/proc/net/{}{}", is_tcp ? "tcp" : "udp", family));
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::istringstream words(line);
      std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
      if (local.ends_with(fmt::format(":{:04X}", port.number)) && (!is_tcp || state == kListens))
        found.push_back(fmt::format("socket:[{}]", inode));
    }
  }
  return found;
}

bool has_socket(fs::path const& process, std::vector<std::string> const& sockets) {
  std::error_code error;
  for (fs::directory_iterator each(process / "fd", error), end; !error && each != end; each.increment(error)) {
    std::error_code unreadable;
    auto const target = fs::read_symlink(each->path(), unreadable).string();
    if (!unreadable && std::ranges::find(sockets, target) != sockets.end()) return true;
  }
  return false;
}

}  // namespace

void tune(int socket) {
  set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

Result<runtime::Fd> listen_on(Port port) {
  bool const is_tcp = port.protocol == model::Protocol::Tcp;
  int const type = (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  if (runtime::Fd both(::socket(AF_INET6, type, 0)); both) {
    set(both.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (!is_tcp) set(both.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port.number);
    if (bind_and_listen(both.get(), port, reinterpret_cast<sockaddr const*>(&address), sizeof(address))) return both;
    if (errno != EADDRNOTAVAIL) return failed(port);  // else IPv6 is switched off
  }
  runtime::Fd socket(::socket(AF_INET, type, 0));
  if (!socket) return failed(port);
  if (!is_tcp) set(socket.get(), IPPROTO_IP, IP_PKTINFO, 1);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port.number);
  if (!bind_and_listen(socket.get(), port, reinterpret_cast<sockaddr const*>(&address), sizeof(address))) return failed(port);
  return socket;
}

std::string holder_of_blocking(Port port) {
  auto const sockets = sockets_on(port);
  if (sockets.empty()) return {};
  std::error_code error;
  for (fs::directory_iterator each("/proc", error), end; !error && each != end; each.increment(error)) {
    auto const name = each->path().filename().string();
    bool const is_process = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_process || !has_socket(each->path(), sockets)) continue;
    std::ifstream command(each->path() / "comm");
    std::string program;
    std::getline(command, program);
    return fmt::format("{} (process {})", program, name);
  }
  return {};
}

}  // namespace davit::ingress
