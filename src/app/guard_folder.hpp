// What an agent and the guard beside it share on disk: RUN_DIR/<node id>/ with the file of leases and a lock for each of the two,
// which says that its process lives. Gone with the boot, as the leases are.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/lease.hpp"
#include "ports/loop.hpp"
#include "ports/node.hpp"

namespace davit::app {

inline constexpr std::string_view kDefaultRunDir = "/run/davit";

// Of this boot of the machine.
std::string boot_id();

class GuardFolder {
 public:
  GuardFolder(std::filesystem::path const& run_dir, NodeId node) : path_(run_dir / to_string(node)) {}
  explicit GuardFolder(std::filesystem::path path) : path_(std::move(path)) {}

  Status make() const;  // with mode 0700
  std::filesystem::path const& path() const { return path_; }
  std::filesystem::path leases() const { return path_ / "leases"; }
  std::filesystem::path guard_lock() const { return path_ / "guard.lock"; }
  std::filesystem::path agent_lock() const { return path_ / "agent.lock"; }

  // Nothing where there is no file; an error where it cannot be read.
  Result<std::vector<model::ContainerLease>> read() const;
  Status write(std::vector<model::ContainerLease> const& all) const;

 private:
  std::filesystem::path path_;
};

// Held from take() to its end. Not waited for.
class ProcessLock {
 public:
  ProcessLock() = default;
  ProcessLock(ProcessLock const&) = delete;
  ProcessLock& operator=(ProcessLock const&) = delete;
  ~ProcessLock();
  bool take(std::filesystem::path const& file);  // false: another process has it
  static bool is_held(std::filesystem::path const& file);

 private:
  int file_ = -1;
};

// The agent's side. A file in memory: written at once.
class GuardLeaseFile final : public ports::LeaseFile {
 public:
  GuardLeaseFile(ports::Loop& loop, GuardFolder folder) : loop_(loop), folder_(std::move(folder)) {}
  void write(std::vector<model::ContainerLease> all, ports::Done<void> done) override;

 private:
  ports::Loop& loop_;
  GuardFolder folder_;
};

}  // namespace davit::app
