// One of the threads that carry connections: accepts some of those to each port, and has its share of them until they end. Owned by the
// IngressProxy; its methods may be called on any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/ingress/acceptor.hpp"
#include "adapters/ingress/connection.hpp"
#include "adapters/ingress/datagrams.hpp"
#include "adapters/ingress/io_loop.hpp"

namespace davit::ingress {

class Worker {
 public:
  Worker();
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;
  ~Worker() { stop(); }

  // All of them, once and before any listens. The kernel wakes them unevenly, so who accepts may hand the connection to another one.
  void meet(std::vector<Worker*> all) { all_ = std::move(all); }
  void stop();  // ends its connections; all stop before one goes

  void listen(std::shared_ptr<Route> route, runtime::Fd socket);
  void close_blocking(Port port);  // when it returns, the socket is closed; the connections go on

 private:
  static constexpr std::size_t kSlack = 4;  // connections more than the others: less than what a hand-over costs

  void accept(std::shared_ptr<Route> const& route, runtime::Fd client, Address const& address);
  void carry(std::shared_ptr<Route> const& route, runtime::Fd client, Address const& address);
  Worker& who_carries();

  IoLoop loop_;
  std::vector<Worker*> all_;
  std::atomic<std::size_t> load_ = 0;  // its connections, and those that it is about to get
  std::map<Port, std::unique_ptr<Acceptor>> acceptors_;
  std::map<Port, std::unique_ptr<Datagrams>> datagrams_;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_connection_ = 0;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace davit::ingress
