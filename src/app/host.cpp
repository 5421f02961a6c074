#include "app/host.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <arpa/inet.h>
#include <fmt/core.h>
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

std::uint64_t random_id60() {
  std::uint64_t value = 0;
  CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return (value & NodeId::kMask) | 1;  // zero means none
}

// ---- load

namespace {

// Of a line like "some avg10=0.12 avg60=…": its share of the last ten seconds. Nothing where the kernel was told not to measure.
std::optional<double> read_pressure(std::filesystem::path const& file, std::string_view kind) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    auto const begins = fmt::format("{} avg10=", kind);
    if (line.starts_with(begins)) return std::strtod(line.c_str() + begins.size(), nullptr) / 100;
  }
  return std::nullopt;
}

std::optional<model::Pressure> read_pressures(std::filesystem::path const& folder) {
  auto const cpu = read_pressure(folder / "cpu", "some");  // for all tasks at once it is not defined
  auto const memory = read_pressure(folder / "memory", "full");
  auto const io = read_pressure(folder / "io", "full");
  if (!cpu || !memory || !io) return std::nullopt;
  return model::Pressure{*cpu, *memory, *io};
}

Bytes read_memory_used(std::filesystem::path const& file) {
  std::ifstream meminfo(file);
  std::int64_t total = 0, available = 0, kib = 0;
  for (std::string key, unit; meminfo >> key >> kib && std::getline(meminfo, unit);) {
    if (key == "MemTotal:") total = kib;
    if (key == "MemAvailable:") available = kib;
    if (total > 0 && available > 0) break;
  }
  return {(total - available) * 1024};
}

}  // namespace

// The cores that were busy since the last call.
double ProcLoadMeter::measure_cpus() {
  std::ifstream stat(proc_ / "stat");
  if (!stat) return 0;
  std::string cpu;
  std::array<std::uint64_t, 8> ticks{};  // user nice system idle iowait irq softirq steal
  stat >> cpu;
  std::uint64_t all = 0;
  for (auto& each : ticks) stat >> each, all += each;
  auto const busy = all - ticks[3] - ticks[4];
  auto const busy_since = busy - std::exchange(busy_ticks_, busy);
  auto const before = std::exchange(all_ticks_, all);
  if (before == 0 || all <= before) return 0;
  return static_cast<double>(busy_since) / static_cast<double>(all - before) * static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
}

model::NodeLoad ProcLoadMeter::measure() {
  model::NodeLoad load{.cpus_used = measure_cpus()};
  if (std::ifstream loadavg(proc_ / "loadavg"); loadavg) loadavg >> load.load_1m;
  load.memory_used = read_memory_used(proc_ / "meminfo");
  load.pressure = read_pressures(proc_ / "pressure");
  return load;
}

}  // namespace davit::app
