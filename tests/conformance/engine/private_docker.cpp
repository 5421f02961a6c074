#include "conformance/engine/private_docker.hpp"

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace davit::conformance {
namespace fs = std::filesystem;

PrivateDocker* PrivateDocker::get(std::string& why_not) {
  static std::string reason;
  static auto const only = make(reason);
  why_not = reason;
  return only.get();
}

std::unique_ptr<PrivateDocker> PrivateDocker::make(std::string& why_not) {
  std::unique_ptr<PrivateDocker> docker(new PrivateDocker);
  auto pattern = (fs::temp_directory_path() / "davit-docker-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return why_not = "no folder can be made in " + pattern, nullptr;
  docker->folder_ = pattern;
  docker->host_ = "unix://" + pattern + "/docker.sock";
  if (char const* given = std::getenv("DAVIT_TEST_DOCKER")) {
    docker->is_ours_ = false;
    docker->host_ = given;
  } else if (::geteuid() != 0 || !run_command("command -v dockerd docker >/dev/null")) {
    return why_not = "it takes root and Debian's docker.io to start a dockerd; or set DAVIT_TEST_DOCKER=unix://…", nullptr;
  } else if (!docker->start()) {
    return why_not = "dockerd does not start; the end of its log is above", nullptr;
  }
  if (!docker->prepare()) return why_not = "the test images cannot be made (busybox-static?)", nullptr;
  return docker;
}

PrivateDocker::~PrivateDocker() {
  if (is_ours_ && daemon_) {
    cli("ps -aq | xargs -r docker -H " + host_ + " rm -fv >/dev/null");
    cli("network rm " + network() + " >/dev/null");
  }
  daemon_.reset();
  if (is_ours_) run_command("ip link delete " + bridge() + " 2>/dev/null");
  unmount();
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) std::cerr << "not removed: " << folder_ << ": " << error.message() << "\n";
}

std::string PrivateDocker::bridge() { return fmt::format("dve{}", ::getpid()); }

// With --bridge=none dockerd would take away docker0, which is the machine's.
bool PrivateDocker::make_bridge() {
  return run_command(
      fmt::format("ip link show {0} >/dev/null 2>&1 || "
                  "(ip link add name {0} type bridge && ip addr add 10.212.{1}.1/24 dev {0} && ip link set {0} up)",
                  bridge(), ::getpid() % 250));
}

bool PrivateDocker::start() {
  if (!make_bridge()) return false;
  auto const name = fmt::format("davit-test-{}", ::getpid());
  auto const in = [&](char const* file) { return (folder_ / file).string(); };
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{"dockerd", "--data-root", in("data"), "--exec-root", in("exec"), "-H", host_, "--pidfile", in("pid"),
                               "--bridge", bridge(), "--iptables=false", "--ip-masq=false", "--containerd-namespace", name,
                               "--containerd-plugins-namespace", name + "-plugins"},
      folder_ / "log");
  auto const until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < until && daemon_->is_running()) {
    if (cli("version >/dev/null 2>&1")) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  run_command("tail -n 20 " + in("log") + " >&2");
  daemon_.reset();
  return false;
}

void PrivateDocker::kill() {
  daemon_->signal(SIGKILL);
  daemon_->wait();
  // Its containerd dies with it, but stays a zombie until somebody reaps it, which the next dockerd would take for alive.
  std::error_code ignored;
  fs::remove(folder_ / "exec" / "containerd" / "containerd.pid", ignored);
}

// A dockerd that was killed leaves mounts behind.
void PrivateDocker::unmount() const {
  std::vector<std::string> below;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, place, rest; mounts >> device >> place && std::getline(mounts, rest);) {
    if (place.starts_with(folder_.string() + "/")) below.push_back(place);
  }
  for (auto place = below.rbegin(); place != below.rend(); ++place) ::umount2(place->c_str(), MNT_DETACH);
}

void PrivateDocker::freeze(bool frozen) { daemon_->signal(frozen ? SIGSTOP : SIGCONT); }

bool PrivateDocker::cli(std::string const& arguments) const { return run_command("docker -H " + host_ + " " + arguments); }

// Two images without a registry, and a bridge whose ports the engine's proxy publishes.
bool PrivateDocker::prepare() {
  auto const root = (folder_ / "rootfs").string();
  auto const import = [&](std::string const& change, std::string const& tag) {
    return run_command(fmt::format("tar -C {} -cf - . | docker -H {} import {} - {} >/dev/null", root, host_, change, tag));
  };
  // The list names busybox too: its link to itself gives way to the program.
  return run_command(fmt::format("mkdir -p {0}/bin {0}/tmp && for tool in $(/bin/busybox --list); do ln -s busybox {0}/bin/$tool; done && "
                                 "cp --remove-destination /bin/busybox {0}/bin/busybox",
                                 root)) &&
         import("", image()) && import("--change 'HEALTHCHECK CMD true'", checked_image()) &&
         (cli("network inspect " + network() + " >/dev/null 2>&1") || cli("network create " + network() + " >/dev/null"));
}

}  // namespace davit::conformance
