#include "app/guard_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/replace_file.hpp"

namespace davit::app {
namespace {

constexpr std::string_view kFirstLine = "davit leases 1";

std::unexpected<Error> failed(std::filesystem::path const& path, std::string_view what) {
  return fail(Code::Unavailable, fmt::format("{} cannot be {}: {}", path.string(), what, std::strerror(errno)));
}

}  // namespace

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

Status GuardFolder::make() const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (!error) std::filesystem::permissions(path_, std::filesystem::perms::owner_all, error);
  if (error) return fail(Code::Unavailable, fmt::format("{} cannot be made: {}", path_.string(), error.message()));
  return {};
}

Result<std::vector<model::ContainerLease>> GuardFolder::read() const {
  std::vector<model::ContainerLease> all;
  std::ifstream in(leases());
  if (!in) return std::filesystem::exists(leases()) ? Result<std::vector<model::ContainerLease>>(failed(leases(), "read")) : all;
  std::string line;
  if (!std::getline(in, line) || line != kFirstLine)
    return fail(Code::Unsupported, fmt::format("{} is none of this davit's", leases().string()));
  while (std::getline(in, line)) {
    std::istringstream words(line);
    model::ContainerLease lease;
    std::int64_t end = 0;
    if (!(words >> lease.boot >> lease.container >> end))
      return fail(Code::Invalid, fmt::format("{}: '{}' is no lease", leases().string(), line));
    lease.end = Monotonic(Duration(end));
    all.push_back(std::move(lease));
  }
  return all;
}

Status GuardFolder::write(std::vector<model::ContainerLease> const& all) const {
  std::string text = fmt::format("{}\n", kFirstLine);
  for (auto const& lease : all) text += fmt::format("{} {} {}\n", lease.boot, lease.container, lease.end.time_since_epoch().count());
  return replace_file(leases(), text);
}

ProcessLock::~ProcessLock() {
  if (file_ >= 0) ::close(file_);
}

bool ProcessLock::take(std::filesystem::path const& file) {
  file_ = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  return file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0;
}

bool ProcessLock::is_held(std::filesystem::path const& file) {
  int const probe = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  if (probe < 0) return false;
  bool const is_held = ::flock(probe, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(probe);
  return is_held;
}

void GuardLeaseFile::write(std::vector<model::ContainerLease> all, ports::Done<void> done) {
  loop_.post([done = std::move(done), outcome = folder_.write(all)] { done(outcome); });
}

}  // namespace davit::app
