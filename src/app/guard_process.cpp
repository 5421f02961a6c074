#include "app/guard_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/cgroups.hpp"
#include "core/guard/guard.hpp"
#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kReadEvery = 200ms;
constexpr Duration kKeepEvery = 1s;
constexpr Duration kIdleLimit = 1min;  // without an agent and without a lease

class GuardProcess {
 public:
  explicit GuardProcess(GuardFolder folder) : folder_(std::move(folder)), guard_(boot_id()) {}

  int run() {
    if (!lock_.take(folder_.guard_lock())) {
      fmt::print(stderr, "davit: a guard runs in {} already\n", folder_.path().string());
      return 1;
    }
    std::signal(SIGPIPE, SIG_IGN);
    // A hang-up of the terminal, or the end of the worker's session, ends no guard.
    std::signal(SIGHUP, SIG_IGN);
    runtime::logger("guard").info("watching {}", folder_.leases().string());
    look();
    loop_.run();
    return 0;
  }

 private:
  void look() {
    auto const now = loop_.now().monotonic;
    if (auto read = folder_.read()) {
      auto& all = *read;
      is_idle_ = all.empty();
      if (std::exchange(last_, all) != all || !has_read_) step(guard::LeasesRead{std::move(all)});
      has_read_ = true;
    } else if (std::exchange(complaint_, read.error().message) != read.error().message) {
      runtime::logger("guard").warn("{}; what was read last counts", read.error().message);
    }
    step(guard::Tick{});
    if (!is_idle_ || ProcessLock::is_held(folder_.agent_lock())) idle_since_ = now;
    if (now - idle_since_ >= kIdleLimit) {
      runtime::logger("guard").info("no agent and no lease any more");
      return loop_.stop();
    }
    timer_->set(std::min(now + kReadEvery, std::max(guard_.wake_at(), now)), [this] { look(); });
  }

  void step(guard::Event const& event) {
    guard::Actions actions;
    guard_.step(loop_.now().monotonic, event, actions);
    for (auto const& action : actions) std::visit([this](auto const& each) { perform(each); }, action);
  }

  void perform(guard::Signal const& action) {
    runtime::logger("guard").warn("the lease of container {} has run out: no master confirms that it may run; SIGTERM", action.container);
    signal_container(action.container, SIGTERM);
  }
  void perform(guard::Kill const& action) {
    runtime::logger("guard").warn("container {} runs without a lease: SIGKILL to all of its processes", action.container);
    kill_container(action.container);
  }
  void perform(guard::Look const& action) {
    guard::Looked looked;
    for (auto const& container : action.containers) {
      if (!processes_of(container).empty()) looked.alive.insert(container);
    }
    loop_.post([this, looked = std::move(looked)] { step(looked); });
  }

  GuardFolder folder_;
  ProcessLock lock_;
  runtime::AsioLoop loop_;
  guard::Guard guard_;
  std::vector<model::ContainerLease> last_;
  std::string complaint_;
  bool has_read_ = false;
  bool is_idle_ = true;
  Monotonic idle_since_ = loop_.now().monotonic;
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

int run_guard(cli::Invocation const& invocation) {
  auto const folder = invocation.text("folder");
  if (folder.empty()) {
    fmt::print(stderr, "davit: --folder: it takes the node's folder, as in {}/<node id>\n", kDefaultRunDir);
    return 2;
  }
  auto const prepared = runtime::init_log(invocation.text("log-level", "info"));
  GuardFolder const shared{std::filesystem::path(folder)};
  auto const made = prepared ? shared.make() : prepared;
  if (!made) {
    fmt::print(stderr, "davit: {}\n", made.error().message);
    return 1;
  }
  return GuardProcess(shared).run();
}

}  // namespace

void add_guard_command(cli::Registry& registry) {
  registry.add({.path = {"guard"},
                .summary = "End containers whose lease has run out (workers start it by themselves)",
                .details =
                    "Services with on_isolation: stop must never run twice. Their containers have leases, which masters renew through the "
                    "agent. The guard "
                    "ends a container when its lease has run out, by the kernel's own means, also when agent and engine hang or are gone.",
                .examples = {"davit guard --folder /run/davit/0123456789ab"},
                .options = {{.name = "folder", .value = "DIR", .help = "what it shares with the agent, RUN_DIR/<node id>"},
                            {.name = "log-level", .value = "LEVEL", .help = "trace, debug, info, warn, error or off (default info)"}},
                .run = run_guard});
}

GuardKeeper::GuardKeeper(runtime::AsioLoop& loop, GuardFolder folder, std::string log_level)
    : loop_(loop),
      folder_(std::move(folder)),
      log_level_(std::move(log_level)) {}

Status GuardKeeper::start() {
  if (::geteuid() != 0) return fail(Code::Unsupported, "only root may end containers' processes");
  TRY_VOID(folder_.make());
  agent_lock_.take(folder_.agent_lock());
  if (!ProcessLock::is_held(folder_.guard_lock())) {
    TRY_VOID(spawn());
  }
  timer_->set(loop_.now().monotonic + kKeepEvery, [this] { look(); });
  return {};
}

void GuardKeeper::look() {
  if (!ProcessLock::is_held(folder_.guard_lock())) {
    auto const spawned = spawn();
    runtime::logger("agent").warn("the guard was gone; {}", spawned ? "another one was started" : spawned.error().message);
  }
  timer_->set(loop_.now().monotonic + kKeepEvery, [this] { look(); });
}

// Twice forked, so that it belongs to nobody: it outlives this process, and is no zombie when it ends. Between fork and exec only what
// is safe there.
Status GuardKeeper::spawn() const {
  auto const folder = folder_.path().string();
  auto const log = (folder_.path() / "guard.log").string();
  char const* const arguments[] = {"davit", "guard", "--folder", folder.c_str(), "--log-level", log_level_.c_str(), nullptr};
  auto const child = ::fork();
  if (child < 0) return fail(Code::Unavailable, fmt::format("no guard can be started: {}", std::strerror(errno)));
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    int const out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    int const in = ::open("/dev/null", O_RDONLY);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::close_range(3, ~0U, 0);
    ::execv("/proc/self/exe", const_cast<char* const*>(arguments));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace davit::app
