// The part that both ends of a stream have in common: one write and one read at a time, what waits to be sent, and the end.
// Lives until gRPC has finished with it. Only for the .cpp files of rpc/.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "rpc/stream.hpp"
#include "rpc/work.hpp"

namespace davit::rpc {

// What the control thread knows of a stream: whether its user still wants it. All that is posted holds this and not the stream, which
// would keep its connection.
struct StreamUser {
  std::function<void(Outcome)> on_end;
  std::function<void()> on_dropped{};
  bool is_there = true;
};

class StreamWork : public Work, public std::enable_shared_from_this<StreamWork> {
 public:
  StreamWork(Running& running, Bridge& bridge) : running_(running), bridge_(bridge) {}

  void send(std::string message, Monotonic valid_until);
  std::size_t unsent() const;
  void cancel() final;

 protected:
  class Step final : public Event {
   public:
    using Handler = void (StreamWork::*)(bool);
    Step(StreamWork& work, Handler handler) : work_(work), handler_(handler) {}
    void on_event(bool ok) override { (work_.*handler_)(ok); }

   private:
    StreamWork& work_;
    Handler handler_;
  };

  // From here on gRPC has it.
  void begin();
  // The connection carries messages from now on.
  void open(ConvertMessage convert, std::shared_ptr<StreamUser> user);
  void finish();
  void finish_unless_open();
  void post(Task task);
  void on_started(bool ok);
  void on_finished(bool ok);

  Running& running_;
  Bridge& bridge_;
  ConvertMessage convert_;
  std::shared_ptr<StreamUser> user_;
  Step started_{*this, &StreamWork::on_started};
  Step finished_{*this, &StreamWork::on_finished};

 private:
  virtual void read(grpc::ByteBuffer* into, void* tag) = 0;
  virtual void write(grpc::ByteBuffer const& bytes, void* tag) = 0;
  virtual void end(void* tag) = 0;         // once, after the last write
  virtual Outcome outcome() const = 0;     // after that
  virtual void try_cancel() = 0;           // reads and writes fail from now on

  void on_read(bool ok);
  void on_taken(std::size_t bytes);
  void on_written(bool ok);
  void write_next();
  void finish_if_still();

  struct Unsent {
    std::string message;
    Monotonic valid_until;
  };

  Step read_{*this, &StreamWork::on_read};
  Step written_{*this, &StreamWork::on_written};
  grpc::ByteBuffer incoming_;
  std::shared_ptr<StreamWork> self_;  // until gRPC has finished

  mutable std::mutex mutex_;  // of the rest
  grpc::ByteBuffer outgoing_;
  std::deque<Unsent> unsent_;
  std::size_t unsent_bytes_ = 0;
  std::size_t untaken_bytes_ = 0;
  bool is_cancelled_ = false;
  bool is_read_held_ = false;
  bool is_open_ = false;
  bool is_writing_ = false;
  bool is_broken_ = false;
  bool is_ending_ = false;
  bool has_ended_ = false;
};

// What a stream's user holds.
class StreamHandle : public Stream {
 public:
  StreamHandle(std::shared_ptr<StreamUser> user, std::weak_ptr<StreamWork> work) : user_(std::move(user)), work_(std::move(work)) {}
  StreamHandle(StreamHandle const&) = delete;
  StreamHandle& operator=(StreamHandle const&) = delete;
  ~StreamHandle() override;
  void send(std::string message, Monotonic valid_until) override;
  void on_dropped(std::function<void()> tell) override { user_->on_dropped = std::move(tell); }
  std::size_t unsent() const override;

 private:
  std::shared_ptr<StreamUser> user_;
  std::weak_ptr<StreamWork> work_;
};

}  // namespace davit::rpc
