// The data directory: made with mode 0700, locked for the process's life, and the agent's state file in it.
#pragma once

#include <filesystem>
#include <optional>
#include <thread>

#include "base/result.hpp"
#include "model/agent_state.hpp"
#include "ports/loop.hpp"
#include "ports/node.hpp"

namespace davit::app {

// Held until destroyed. The lock file carries the holder's pid for the refusal of a second one.
class DataDirLock {
 public:
  static Result<DataDirLock> take(std::filesystem::path const& data_dir);
  DataDirLock(DataDirLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  DataDirLock& operator=(DataDirLock&&) = delete;
  ~DataDirLock();

 private:
  explicit DataDirLock(int file) : file_(file) {}
  int file_;
};

// Where store_file() is put when its content goes on in etcd.
std::filesystem::path copied_store_file(std::filesystem::path const& data_dir);
std::filesystem::path store_file(std::filesystem::path const& data_dir);

// What was saved last, if anything was.
Result<std::optional<model::AgentState>> load_agent_state(std::filesystem::path const& data_dir);

// Written to a new file that takes the old one's place, on a thread of its own: a flush may take long.
class AgentStateFile : public ports::StateFile {
 public:
  AgentStateFile(ports::Loop& loop, std::filesystem::path const& data_dir) : loop_(loop), data_dir_(data_dir) {}

  void save(model::AgentState state, ports::Done<void> done) override;

 private:
  ports::Loop& loop_;
  std::filesystem::path data_dir_;
  std::jthread writer_;
};

}  // namespace davit::app
