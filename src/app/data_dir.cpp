#include "app/data_dir.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include "codec/records.hpp"

namespace davit::app {
namespace {

std::unexpected<Error> os_error(std::string_view what, std::filesystem::path const& file) {
  auto const code = errno == ENOSPC ? Code::Full : Code::Unavailable;
  return fail(code, fmt::format("{} {}: {}", what, file.string(), std::strerror(errno)));
}

Status write_durably(std::filesystem::path const& file, std::string const& bytes) {
  auto fresh = file;
  fresh += ".new";
  int const out = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return os_error("cannot write", fresh);
  bool const is_written = write(out, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) && fsync(out) == 0;
  if (!is_written) {
    auto const error = os_error("cannot write", fresh);
    close(out);
    return error;
  }
  close(out);
  if (rename(fresh.c_str(), file.c_str()) != 0) return os_error("cannot replace", file);
  int const folder = open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const is_synced = folder >= 0 && fsync(folder) == 0;
  auto const error = os_error("cannot flush", file.parent_path());
  if (folder >= 0) close(folder);
  if (!is_synced) return error;
  return {};
}

std::filesystem::path state_file(std::filesystem::path const& data_dir) { return data_dir / "agent.json"; }

}  // namespace

Result<DataDirLock> DataDirLock::take(std::filesystem::path const& data_dir) {
  std::error_code failed;
  if (std::filesystem::create_directories(data_dir, failed); failed) {
    return fail(Code::Unavailable, fmt::format("cannot make the data directory {}: {}; choose another one with --data-dir",
                                               data_dir.string(), failed.message()));
  }
  std::filesystem::permissions(data_dir, std::filesystem::perms::owner_all, failed);
  auto const file = data_dir / "lock";
  int const lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return os_error("cannot open", file);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    char pid[32]{};
    auto const length = read(lock, pid, sizeof pid - 1);
    close(lock);
    return fail(Code::Exists,
                fmt::format("the data directory {} is in use by davit with pid {}; stop that one, or choose another --data-dir",
                            data_dir.string(), length > 0 ? std::string_view(pid, static_cast<std::size_t>(length)) : "unknown"));
  }
  auto const pid = std::to_string(getpid());
  // On a full disk the lock holds all the same; only its holder's pid is then unknown to others.
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) errno = 0;
  return DataDirLock(lock);
}

DataDirLock::~DataDirLock() {
  if (file_ >= 0) close(file_);
}

std::filesystem::path store_file(std::filesystem::path const& data_dir) { return data_dir / "store.sqlite"; }
std::filesystem::path copied_store_file(std::filesystem::path const& data_dir) { return data_dir / "store.sqlite.copied"; }

Result<std::optional<model::AgentState>> load_agent_state(std::filesystem::path const& data_dir) {
  auto const file = state_file(data_dir);
  if (!std::filesystem::exists(file)) return std::nullopt;
  std::ifstream in(file, std::ios::binary);
  if (!in) return os_error("cannot read", file);
  auto state = codec::decode_agent_state(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!state) {
    return fail(state.error().code, fmt::format("{}: {}; remove the file if it is damaged: the node is found again in the store",
                                                file.string(), state.error().message));
  }
  return *std::move(state);
}

void AgentStateFile::save(model::AgentState state, ports::Done<void> done) {
  writer_ = std::jthread([this, file = state_file(data_dir_), bytes = codec::encode_agent_state(state), done = std::move(done)] {
    loop_.post([done, outcome = write_durably(file, bytes)] { done(outcome); });
  });
}

}  // namespace davit::app
