// What gRPC works on, and how its one thread hands results to the control thread. Only for the .cpp files of rpc/.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include <grpcpp/completion_queue.h>
#include <grpcpp/support/byte_buffer.h>

#include "ports/loop.hpp"
#include "rpc/stream.hpp"

namespace davit::rpc {

grpc::ByteBuffer to_buffer(std::string const& bytes);
std::string to_bytes(grpc::ByteBuffer const& buffer);

// What gRPC's thread hands to the control thread runs only while the owner is there. The flag is the control thread's.
class Bridge {
 public:
  explicit Bridge(ports::Loop& loop) : loop_(loop) {}
  void post(Task task);
  Monotonic now() const { return loop_.now().monotonic; }
  void close() { *is_open_ = false; }

 private:
  ports::Loop& loop_;
  std::shared_ptr<bool> is_open_ = std::make_shared<bool>(true);
};

// Something that gRPC works on: a call, a stream, the wait for a connection's next state.
class Work {
 public:
  virtual ~Work() = default;
  virtual void cancel() = 0;  // under the lock of Running
};

// What a completion of the queue is for.
class Event {
 public:
  virtual ~Event() = default;
  virtual void on_event(bool ok) = 0;
  void* tag() { return this; }
};

// All work that gRPC has not finished. The queue is shut down by whoever finishes the last of it once the owner closes: gRPC does not
// allow that anything is begun after that, and a stream that is cancelled has yet to begin its end.
class Running {
 public:
  explicit Running(std::unique_ptr<grpc::CompletionQueue> queue) : queue_(std::move(queue)) {}

  grpc::CompletionQueue& queue() { return *queue_; }
  void add(Work& work);
  void remove(Work& work);
  void cancel();  // all, and what is added from now on; the queue goes on
  void close();   // that, and the end
  void run();  // gRPC's thread, until all is finished after close()

 private:
  void shut_down_if_idle();

  std::unique_ptr<grpc::CompletionQueue> queue_;
  std::mutex mutex_;
  std::set<Work*> all_;  // under mutex_
  bool is_cancelled_ = false;
  bool is_closing_ = false;
};

// Before anything else of gRPC. What it has to say goes to the log: why a connection does not come about (a certificate, say) it says
// nowhere else.
void prepare_grpc();

}  // namespace davit::rpc
