// Listens on the ingress ports of the cluster's services and carries what comes there to their ready instances (docs/ingress.md): TCP by
// splice, UDP by datagram, on threads of its own. Owned by the app for the process's life; its threads begin with the first ingress port.
//
// A keeper thread opens and closes ports as the directory says; Workers carry. A port that somebody else has is tried again every few
// seconds. When a port's service goes, it is closed, and the connections that it has go on until they end.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/ingress/route.hpp"
#include "adapters/ingress/worker.hpp"
#include "ports/directory.hpp"

namespace davit::ingress {

struct Options {
  std::string node;         // this node's name: its own instances come first
  std::size_t threads = 0;  // 0: one for each processor, four at most
  Limits limits;
};

// Half of the file descriptors that this process may have: a connection takes two, and for the time in which bytes wait four more. Clients
// of UDP, one each, come on top.
Limits limits_of_process();

class IngressProxy final : public ports::DirectoryUser {
 public:
  explicit IngressProxy(Options options);
  IngressProxy(IngressProxy const&) = delete;
  IngressProxy& operator=(IngressProxy const&) = delete;
  ~IngressProxy() override { stop(); }

  void show(std::shared_ptr<model::Directory const> directory) override;
  void stop();  // ends all connections; waits for the threads

  struct PortState {
    Port port;
    std::string service;
    std::string problem;  // why nothing listens; empty: this node listens
    friend bool operator==(PortState const&, PortState const&) = default;
  };
  // As of the last directory that was carried out. Any thread.
  std::vector<PortState> ports() const;

 private:
  static constexpr Duration kTryAgain = std::chrono::seconds(2);
  static constexpr Duration kLookAgain = std::chrono::milliseconds(500);

  struct Open {
    std::shared_ptr<Route> route;
    std::vector<Backend> backends;  // those whose addresses were found
    std::string not_found;          // what the log says of the others
    std::string taken_by;           // by the directory
    bool is_listening = false;
    std::string problem;
    std::chrono::steady_clock::time_point try_at{};
  };

  void keep();
  void carry_out(model::Directory const& directory);
  void retry();
  std::shared_ptr<Route> make_route(Port port, std::string const& service);
  void set_backends(Open& open, std::vector<Backend> const& wanted);
  void try_to_listen(Open& open);  // unless it does, or it was tried a moment ago
  void begin_workers();
  void close(Open const& open);
  void publish_states();

  Options const options_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<std::size_t> datagram_clients_ = 0;

  // The keeper's.
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<Port, Open> open_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable news_;
  std::shared_ptr<model::Directory const> directory_;  // that is to be carried out
  bool is_stopped_ = false;
  std::vector<PortState> states_;
  std::thread keeper_;
};

}  // namespace davit::ingress
