#include "app/cgroups.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/core.h>

namespace davit::app {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 20;  // a process may fork while its group is being killed
fs::path const kRoot = "/sys/fs/cgroup";

// Where the hierarchy of processes begins: the only one of version 2, any one of version 1.
std::vector<fs::path> hierarchies() {
  std::error_code ignored;
  if (fs::exists(kRoot / "cgroup.procs", ignored)) return {kRoot};
  std::vector<fs::path> all;
  for (auto const* name : {"pids", "memory", "cpu", "cpu,cpuacct", "devices", "systemd"}) {
    if (fs::exists(kRoot / name, ignored)) all.push_back(kRoot / name);
  }
  return all;
}

// With the cgroupfs driver a group has the container's id as its name, with systemd's it is a scope.
std::optional<fs::path> find_below(fs::path const& folder, std::string const& container) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end; at != end && !error;
       at.increment(error)) {
    if (!at->is_directory(error)) continue;
    auto const name = at->path().filename().string();
    if (name == container || name == fmt::format("docker-{}.scope", container)) return at->path();
  }
  return std::nullopt;
}

std::optional<fs::path> group_of(std::string const& container) {
  for (auto const& hierarchy : hierarchies()) {
    if (auto found = find_below(hierarchy, container)) return found;
  }
  return std::nullopt;
}

void read_processes(fs::path const& group, std::vector<pid_t>& all) {
  std::ifstream in(group / "cgroup.procs");
  for (pid_t pid = 0; in >> pid;) {
    if (pid > 0) all.push_back(pid);
  }
}

// Number 1 in a process namespace of its own.
bool is_first(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("NSpid:")) continue;
    std::istringstream words(line.substr(6));
    std::vector<long> numbers;
    for (long number = 0; words >> number;) numbers.push_back(number);
    return numbers.size() > 1 && numbers.back() == 1;
  }
  return false;
}

}  // namespace

std::vector<pid_t> processes_of(std::string const& container) {
  std::vector<pid_t> all;
  auto const group = group_of(container);
  if (!group) return all;
  read_processes(*group, all);
  std::error_code error;
  for (fs::recursive_directory_iterator at(*group, error), end; at != end && !error; at.increment(error)) {
    if (at->is_directory(error)) read_processes(at->path(), all);
  }
  return all;
}

void signal_container(std::string const& container, int signal) {
  auto const all = processes_of(container);
  auto const first = std::ranges::find_if(all, is_first);
  if (first != all.end()) {
    ::kill(*first, signal);
    return;
  }
  for (auto const pid : all) ::kill(pid, signal);
}

void kill_container(std::string const& container) {
  for (int round = 0; round < kRounds; ++round) {
    auto const all = processes_of(container);
    if (all.empty()) return;
    for (auto const pid : all) ::kill(pid, SIGKILL);
  }
}

}  // namespace davit::app
