// The thread that owns the file: takes calls in order, commits those that wait together in one group, then delivers to the
// watches what has become durable. Answers and batches leave through the two functions, which it calls on its own thread.
// Destroying it finishes the group at hand, drops the calls behind it, and closes the file.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "adapters/store_sqlite/calls.hpp"
#include "adapters/store_sqlite/kv_file.hpp"

namespace davit::store_sqlite {

class StoreThread {
 public:
  using Answered = std::function<void(CallId, Result<Answer>)>;
  using Delivered = std::function<void(std::shared_ptr<Subscription> const&, ports::WatchBatch)>;

  StoreThread(KvFile file, std::size_t max_group, Answered answered, Delivered delivered);
  StoreThread(StoreThread const&) = delete;
  StoreThread& operator=(StoreThread const&) = delete;
  ~StoreThread();

  void push(CallId id, Request request);
  // Takes a call back that has not been begun: true if it will surely not be done.
  bool withdraw(CallId id);

 private:
  struct Call {
    CallId id = 0;
    Request request;
  };

  void run();
  std::vector<Call> take();  // the commits at the front, or one other call; none: the end
  void perform_commits(std::vector<Call> calls);
  void perform(Call call);

  Result<Answer> on(ports::Range const& range);
  Result<Answer> on(GrantLease const& grant);
  Result<Answer> on(RenewLease const& renew);
  Result<Answer> on(RevokeLease const& revoke);
  Result<Answer> on(Compact const& compact);
  Result<Answer> on(ReadStatus const&);
  Result<Answer> on(StartWatch const& start);
  Result<Answer> on(ports::Commit const& commit);

  void deliver_to_all();
  bool deliver(std::shared_ptr<Subscription> const& subscription);  // false: it has ended

  KvFile file_;
  std::size_t const max_group_;
  Answered answered_;
  Delivered delivered_;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Call> queue_;  // under mutex_
  bool stopping_ = false;   // under mutex_
  std::thread thread_;      // last: runs only while all of the above lives
};

}  // namespace davit::store_sqlite
