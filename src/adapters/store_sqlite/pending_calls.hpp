// The calls that wait for their answer, and the one timer that ends those whose deadline has come.
// Each is finished once: an answer that comes after the deadline finds no call. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "adapters/store_sqlite/calls.hpp"
#include "ports/loop.hpp"

namespace davit::store_sqlite {

class PendingCalls : public std::enable_shared_from_this<PendingCalls> {
 public:
  using Finish = std::function<void(Result<Answer>)>;

  using Overdue = std::function<Error(CallId, bool writes)>;

  // `overdue` says, when a deadline has come, how that call ends.
  PendingCalls(ports::Loop& loop, Overdue overdue);

  CallId add(Monotonic deadline, bool writes, Finish finish);
  void finish(CallId id, Result<Answer> answer);
  // Forgets all calls: none of them is finished any more.
  void close();

 private:
  struct Pending {
    Monotonic deadline;
    bool writes = false;
    Finish finish;
  };
  void arm();
  void end_overdue();

  ports::Loop& loop_;
  Overdue overdue_;
  std::map<CallId, Pending> calls_;
  std::set<std::pair<Monotonic, CallId>> deadlines_;
  CallId last_id_ = 0;
  Monotonic armed_for_ = kNever;
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace davit::store_sqlite
