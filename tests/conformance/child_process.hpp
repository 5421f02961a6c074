// A program that a test has started: killed by its id when the test ends, also when the test dies.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace davit::conformance {

class ChildProcess {
 public:
  ChildProcess(std::vector<std::string> command, std::filesystem::path const& log);  // both its outputs go to the log
  ~ChildProcess();                                                                  // SIGTERM, and waits
  ChildProcess(ChildProcess const&) = delete;
  ChildProcess& operator=(ChildProcess const&) = delete;

  void signal(int number) const;
  void wait();  // until it has ended
  bool is_running();

 private:
  pid_t pid_ = 0;
  bool ended_ = false;
};

// By the shell; true when it ends with 0.
bool run_command(std::string const& command);

// Nobody listens there at this moment.
int free_port();
bool can_connect(int port);

}  // namespace davit::conformance
