#include "adapters/engine_docker/helper_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/deadline.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kOutputLimit = 64 * 1024;

// A process group of our own; ends and is reaped with this object. It has closed its output or is to be killed when that
// happens, so that waiting for it takes no time.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  ~Child() {
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_;
};

// Its standard input and output are one socket: writing to a program that has ended is then no SIGPIPE.
Result<pid_t> spawn_on(std::vector<std::string>& command, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  int const error = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(Code::NotFound, fmt::format("cannot run {}: {}", command[0], std::generic_category().message(error)));
  return pid;
}

asio::awaitable<Result<std::string>> async_talk(asio::local::stream_protocol::socket* socket, std::string input) {
  constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
  // So small that the socket's buffer takes it whole; a program that does not read it says so by its output.
  co_await socket->async_send(asio::buffer(input), kNoThrow);
  boost::system::error_code ignored;
  (void)socket->shutdown(asio::socket_base::shutdown_send, ignored);
  std::string output;
  std::array<char, 4096> buffer;
  while (true) {
    auto const [error, size] = co_await socket->async_receive(asio::buffer(buffer), kNoThrow);
    if (error == asio::error::operation_aborted) throw boost::system::system_error(error);  // the deadline, or the caller's end
    if (error) co_return output;
    if (output.size() + size > kOutputLimit) co_return fail(Code::Exhausted, "it prints too much");
    output.append(buffer.data(), size);
  }
}

}  // namespace

asio::awaitable<Result<std::string>> async_run_helper(runtime::AsioLoop* loop, std::vector<std::string> command, std::string input,
                                                      Monotonic deadline) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    co_return fail(Code::Exhausted, "no socket pair: " + std::generic_category().message(errno));
  }
  asio::local::stream_protocol::socket ours(loop->context(), asio::local::stream_protocol(), ends[0]);
  auto const pid = spawn_on(command, ends[1]);
  ::close(ends[1]);
  if (!pid) co_return std::unexpected(pid.error());
  Child const child(*pid);
  co_return co_await runtime::async_with_deadline(*loop, deadline, command[0], async_talk(&ours, std::move(input)));
}

}  // namespace davit::engine_docker
