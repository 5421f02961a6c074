// The store's watches: one stream each, at the member that is asked when it begins. A stream that ends, is refused, or stands behind
// what calls have shown of the store goes on at another member, from the first revision that has not come. Control thread.
//
// A watch is told of progress (a batch without changes) so that it reaches revisions that change nothing under its prefix. etcd is asked
// for it while a watch is behind, but only where its answer keeps the order of the stream: before 3.4.25 and 3.5.8 it may come before
// changes that it says have come (etcd issue 15220). The unasked one is in order everywhere
// (--experimental-watch-progress-notify-interval).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store_etcd/calls.hpp"
#include "adapters/store_etcd/members.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"
#include "rpc/client.hpp"

namespace davit::store_etcd {

class Watches {
 public:
  using OnBatch = std::function<void(ports::WatchBatch const&)>;

  Watches(ports::Loop& loop, rpc::Client& rpc, Members& members, Calls& calls);
  ~Watches();
  Watches(Watches const&) = delete;
  Watches& operator=(Watches const&) = delete;

  std::unique_ptr<ports::Watch> add(std::string prefix, std::int64_t from, OnBatch on_batch);
  void notice(std::int64_t revision);
  void on_may_ask() { open_waiting(); }  // a member has joined, or there is a token
  void on_member_left(Members::Ix member) { answers_in_order_[member].reset(); }

 private:
  struct Behind {
    Monotonic since;
    std::int64_t revision = 0;  // that it is to reach
  };
  struct Subscription {
    std::string prefix;
    std::int64_t next = 0;  // the first revision that has not come; 0: whatever is next when the stream begins
    OnBatch on_batch;
    std::optional<Members::Ix> member;  // with the stream; none: waits
    std::unique_ptr<rpc::Stream> stream;
    bool has_begun = false;    // the stream
    bool was_refused = false;  // the last time
    std::optional<Behind> behind;
    Duration patience{};
    bool is_over = false;     // nothing more is to come
    bool is_wanted = true;    // false: nothing more is to be told
  };
  using Shared = std::shared_ptr<Subscription>;
  class Handle;

  void open(Shared const& subscription, std::optional<Members::Ix> rather_not = {});
  void open_waiting();
  void on_message(Shared const& subscription, Result<WatchMessage> message);
  void on_broken(Shared const& subscription);
  void open_after(Shared const& subscription, Duration pause);
  void on_cancelled(Shared const& subscription, WatchMessage const& message);
  void tell(Shared const& subscription, ports::WatchBatch batch);
  void review();
  bool review(Shared const& subscription);
  void ask_for_progress(Subscription& subscription);
  void learn_version(Members::Ix member);

  ports::Loop& loop_;
  rpc::Client& rpc_;
  Members& members_;
  Calls& calls_;
  std::vector<Shared> subscriptions_;
  std::int64_t seen_ = 0;                            // the newest revision that an answer has shown
  std::vector<std::optional<bool>> answers_in_order_;  // by member: whether it may be asked for progress; none: not known
  std::unique_ptr<ports::Timer> pause_;
  std::unique_ptr<ports::Timer> review_;
  bool is_pausing_ = false;
  bool is_reviewing_ = false;
};

// Whether this version of etcd sends the progress that it is asked for in the order of the stream.
bool tells_progress_in_order(std::string const& version);

}  // namespace davit::store_etcd
