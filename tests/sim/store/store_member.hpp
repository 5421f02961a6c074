// One member of the store's cluster, as its clients see it: it passes calls on to the leader, answers them once it has applied what they
// read or wrote, and serves watches from what it has applied. It may lag, hang or be down.
// Owned by StoreCluster.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/store.hpp"
#include "sim/net/directory.hpp"

namespace davit::sim {

class StoreCluster;

// What a client sends. Both make what it is to do with the answer.
struct StoreRequest {
  bool is_write = false;
  std::function<Thunk(StoreCluster&)> execute;
  std::function<Thunk(Error const&)> refuse;
};
// Where a watch's batches go, while the client still wants them there.
struct WatchStream {
  std::function<void(ports::WatchBatch const&)> on_batch;
};

class StoreMember {
 public:
  StoreMember(StoreCluster& cluster, Directory& directory, std::size_t index, HostId host);
  StoreMember(StoreMember const&) = delete;
  StoreMember& operator=(StoreMember const&) = delete;

  HostId host() const { return host_; }
  bool is_up() const { return downs_ == 0; }

  // ---- faults; they may overlap
  void start();
  void go_down();
  void come_up();
  void set_lag(Duration lag) { lag_ += lag; }
  void slow_reads_down(Duration by) { slowness_ += by; }  // what they read was so at once, and is told late

  // ---- what clients send
  void serve(std::weak_ptr<Connection> client, StoreRequest request);
  void watch(std::weak_ptr<Connection> client, std::weak_ptr<WatchStream> stream, std::string prefix, std::int64_t from);

  // ---- from the cluster
  void on_revision(std::int64_t revision);
  void on_reach_changed();

 private:
  struct Call {
    std::weak_ptr<Connection> client;
    StoreRequest request;
    Monotonic until{};  // then it is refused
  };
  struct Answer {
    std::int64_t revision = 0;  // that must have been applied
    std::weak_ptr<Connection> client;
    Thunk what;
  };
  struct Watch {
    std::weak_ptr<Connection> client;
    std::weak_ptr<WatchStream> stream;
    std::string prefix;
    std::int64_t next = 0;
  };
  struct Applying {
    Monotonic at{};
    std::int64_t revision = 0;
  };

  void execute(Call call);
  void retry_waiting();
  void answer(std::int64_t revision, std::weak_ptr<Connection> const& client, Thunk what);
  void apply();
  bool publish(Watch& watch);

  StoreCluster& cluster_;
  Directory& directory_;
  std::size_t index_;
  HostId host_;
  HostClock clock_;
  std::vector<std::unique_ptr<ProcessLoop>> lives_;
  int downs_ = 0;
  Duration lag_{};
  Duration slowness_{};
  std::int64_t applied_ = 1;
  std::deque<Applying> applying_;
  std::unique_ptr<ports::Timer> applies_;
  std::unique_ptr<ports::Timer> retries_;
  std::vector<Call> waiting_;
  std::vector<Answer> answers_;
  std::vector<Watch> watches_;
};

}  // namespace davit::sim
