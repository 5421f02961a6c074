#include "app/host.hpp"

#include <array>
#include <fstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/ids.hpp"

namespace davit::app {

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == 0) return "localhost";
  return name.data();
}

// Connecting a datagram socket sends nothing; it only makes the kernel choose a route.
std::string default_route_address() {
  std::string address = "127.0.0.1";
  int const socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return address;
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(9);
  inet_pton(AF_INET, "192.0.2.1", &remote.sin_addr);
  sockaddr_in local{};
  socklen_t length = sizeof local;
  if (connect(socket, reinterpret_cast<sockaddr*>(&remote), sizeof remote) == 0 &&
      getsockname(socket, reinterpret_cast<sockaddr*>(&local), &length) == 0) {
    std::array<char, INET_ADDRSTRLEN> text{};
    if (inet_ntop(AF_INET, &local.sin_addr, text.data(), text.size())) address = text.data();
  }
  close(socket);
  return address;
}

bool is_loopback(std::string_view address) { return address == "localhost" || address == "::1" || address.starts_with("127."); }

std::uint64_t random_id60() {
  std::uint64_t value = 0;
  CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return (value & NodeId::kMask) | 1;  // zero means none
}

model::NodeLoad ProcLoadMeter::measure() {
  model::NodeLoad load;
  if (std::ifstream stat("/proc/stat"); stat) {
    std::string cpu;
    std::array<std::uint64_t, 8> ticks{};  // user nice system idle iowait irq softirq steal
    stat >> cpu;
    std::uint64_t all = 0;
    for (auto& each : ticks) stat >> each, all += each;
    auto const busy = all - ticks[3] - ticks[4];
    if (all_ticks_ > 0 && all > all_ticks_) {
      load.cpus_used = static_cast<double>(busy - busy_ticks_) / static_cast<double>(all - all_ticks_) *
                       static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
    }
    busy_ticks_ = busy;
    all_ticks_ = all;
  }
  if (std::ifstream loadavg("/proc/loadavg"); loadavg) loadavg >> load.load_1m;
  std::ifstream meminfo("/proc/meminfo");
  std::int64_t total = 0, available = 0, kib = 0;
  for (std::string key, unit; meminfo >> key >> kib && std::getline(meminfo, unit);) {
    if (key == "MemTotal:") total = kib;
    if (key == "MemAvailable:") available = kib;
    if (total > 0 && available > 0) break;
  }
  load.memory_used = {(total - available) * 1024};
  return load;
}

}  // namespace davit::app
