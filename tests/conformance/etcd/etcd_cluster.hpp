// Real etcd members on loopback, in a folder of their own, for as long as their owner lives. DAVIT_ETCD names another program than
// Debian's.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "conformance/child_process.hpp"
#include "conformance/temporary_folder.hpp"

namespace davit::conformance {

// Since 3.4.25 and 3.5.8.
bool can_be_asked_for_progress();

class EtcdCluster {
 public:
  struct Options {
    int members = 1;
    std::vector<std::string> arguments;  // for every member
    bool is_secure = false;              // https for clients; the certificates are the arguments' matter
  };

  explicit EtcdCluster(Options options);
  ~EtcdCluster();
  EtcdCluster(EtcdCluster const&) = delete;
  EtcdCluster& operator=(EtcdCluster const&) = delete;

  std::vector<std::string> endpoints() const;
  std::string url(std::size_t member) const;

  void kill(std::size_t member);   // SIGKILL
  void start(std::size_t member);  // again, with the data that it has
  void pause(std::size_t member) const;
  void resume(std::size_t member) const;
  std::string describe() const;  // which members run, and the last lines of their logs

 private:
  struct Member {
    int client_port = 0;
    int peer_port = 0;
    std::unique_ptr<ChildProcess> process;
  };

  static std::filesystem::path place_of_data();

  Options options_;
  TemporaryFolder folder_{place_of_data()};
  std::vector<Member> members_;
};

}  // namespace davit::conformance
