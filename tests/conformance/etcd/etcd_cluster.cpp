#include "conformance/etcd/etcd_cluster.hpp"

#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/core.h>

namespace davit::conformance {
namespace {

constexpr std::size_t kLogBytes = 8000;
constexpr std::uintmax_t kMemoryBytes = std::uintmax_t{2} << 30;  // three members reserve 64 MiB for each of two logs

std::string program() {
  char const* const named = std::getenv("DAVIT_ETCD");
  return named ? named : "etcd";
}

std::string name_of(std::size_t member) { return fmt::format("m{}", member); }

}  // namespace

bool can_be_asked_for_progress() {
  return !run_command(program() + " --version | grep -Eq 'etcd Version: 3\\.(4\\.([0-9]|1[0-9]|2[0-4])|5\\.[0-7])$'");
}

EtcdCluster::EtcdCluster(Options options) : options_(std::move(options)), members_(static_cast<std::size_t>(options_.members)) {
  for (auto& member : members_) {
    member.client_port = free_port();
    member.peer_port = free_port();
  }
  for (std::size_t member = 0; member < members_.size(); ++member) start(member);
}

EtcdCluster::~EtcdCluster() {
  for (auto const& member : members_)
    if (member.process) member.process->signal(SIGKILL);
}

std::string EtcdCluster::url(std::size_t member) const {
  return fmt::format("{}://127.0.0.1:{}", options_.is_secure ? "https" : "http", members_[member].client_port);
}

std::vector<std::string> EtcdCluster::endpoints() const {
  std::vector<std::string> urls;
  for (std::size_t member = 0; member < members_.size(); ++member) urls.push_back(url(member));
  return urls;
}

void EtcdCluster::kill(std::size_t member) {
  members_[member].process->signal(SIGKILL);
  members_[member].process.reset();
}

void EtcdCluster::start(std::size_t member) {
  auto const peer_url = [this](std::size_t which) { return fmt::format("http://127.0.0.1:{}", members_[which].peer_port); };
  std::string all;
  for (std::size_t each = 0; each < members_.size(); ++each)
    all += fmt::format("{}{}={}", all.empty() ? "" : ",", name_of(each), peer_url(each));
  std::vector<std::string> command{program(),
                                   "--name=" + name_of(member),
                                   "--data-dir=" + (folder_.path() / name_of(member)).string(),
                                   "--listen-client-urls=" + url(member),
                                   "--advertise-client-urls=" + url(member),
                                   "--listen-peer-urls=" + peer_url(member),
                                   "--initial-advertise-peer-urls=" + peer_url(member),
                                   "--initial-cluster=" + all};
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  members_[member].process = std::make_unique<ChildProcess>(std::move(command), folder_.path() / (name_of(member) + ".log"));
}

void EtcdCluster::pause(std::size_t member) const { members_[member].process->signal(SIGSTOP); }
void EtcdCluster::resume(std::size_t member) const { members_[member].process->signal(SIGCONT); }

// Memory where there is enough of it: members are killed here and machines are not, and a disk that writes out what a build has left
// makes a member wait for seconds.
std::filesystem::path EtcdCluster::place_of_data() {
  std::error_code error;
  std::filesystem::path const memory = "/dev/shm";
  auto const space = std::filesystem::space(memory, error);
  return !error && space.available >= kMemoryBytes ? memory : std::filesystem::temp_directory_path();
}

std::string EtcdCluster::describe() const {
  std::string text;
  for (std::size_t member = 0; member < members_.size(); ++member) {
    auto const& process = members_[member].process;
    std::ifstream file(folder_.path() / (name_of(member) + ".log"));
    std::string log(std::istreambuf_iterator<char>(file), {});
    if (log.size() > kLogBytes) log.erase(0, log.size() - kLogBytes);
    text += fmt::format("{} {}:\n{}\n", name_of(member), process && process->is_running() ? "runs" : "does not run", log);
  }
  return text;
}

}  // namespace davit::conformance
