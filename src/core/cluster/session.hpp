// The arithmetic of one master session (protocol.md §3): until when its lease is valid by our own clock, until when its view is fresh.
// A SessionClock is made when a lease is granted and thrown away with it; the control thread owns it. The caller sends renewals and
// reads, reports each when it is *sent* and again when it ends, and asks may_command() at each socket write.
//
//   valid:  until the send time of the last successful renewal + granted TTL − 500 ms. A gap does no harm if the lease outlived it.
//   fresh:  until the send time of the last linearizable read whose revision the watch has reached + 2 s.
//   lost:   the store knows the lease no more; for good.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace davit::cluster {

inline constexpr Duration kLeaseTtl = 3s;
inline constexpr Duration kLeaseMargin = 500ms;
inline constexpr Duration kRenewalInterval = 500ms;
inline constexpr Duration kRenewalDeadline = 300ms;
inline constexpr Duration kReadInterval = 1s;
inline constexpr Duration kFreshFor = 2s;
inline constexpr Duration kUnfreshLimit = 5s;        // after it the session is given up
inline constexpr Duration kFirstFreshLimit = 30s;    // the same for a session that was never fresh: it has yet to read the store
inline constexpr Duration kRetryGap = 100ms;         // between the sending of two tries

// When the next call of a kind is due: `interval` after the last was sent, or at once after a failure, but `kRetryGap` after its sending.
class Pace {
 public:
  Pace(Duration interval, Monotonic first) : interval_(interval), sent_(first - interval), next_(first) {}
  void on_sent(Monotonic now);
  void on_failed(Monotonic now);
  Monotonic next_at() const { return next_; }

 private:
  Duration interval_;
  Monotonic sent_;
  Monotonic next_;
};

class SessionClock {
 public:
  // The lease was granted in answer to a request sent then.
  SessionClock(Monotonic sent, Duration ttl);

  void on_renewal_sent(Monotonic now) { renewals_.on_sent(now); }
  void on_renewed(Monotonic sent, Duration ttl);  // ttl 0, as etcd answers for a lease it does not know: lost
  void on_renewal_failed(Monotonic now) { renewals_.on_failed(now); }
  void on_lease_lost() { is_lost_ = true; }

  void on_read_sent(Monotonic now) { reads_.on_sent(now); }
  void on_read(Monotonic sent, std::int64_t revision);
  void on_read_failed(Monotonic now) { reads_.on_failed(now); }
  void on_watched(std::int64_t revision);  // everything up to it has been taken in; progress notices count

  bool is_lost() const { return is_lost_; }
  bool is_valid(Monotonic now) const { return !is_lost_ && now < valid_until_; }
  bool is_fresh(Monotonic now) const { return now < fresh_until(); }
  bool may_command(Monotonic now) const { return is_valid(now) && is_fresh(now) && !must_give_up(now); }
  // Lost, or unfresh for too long while renewals succeed: release the lease and begin a new session that owns nothing.
  bool must_give_up(Monotonic now) const { return is_lost_ || (is_valid(now) && now >= give_up_at()); }

  Monotonic valid_until() const { return valid_until_; }
  Monotonic fresh_until() const { return view_from_ ? *view_from_ + kFreshFor : Monotonic::min(); }
  // Nothing is missing in the view that was written before; Davit-View-Age counts from here. Empty: never fresh yet.
  std::optional<Monotonic> view_from() const { return view_from_; }
  Monotonic next_renewal_at() const { return renewals_.next_at(); }
  Monotonic next_read_at() const { return reads_.next_at(); }

 private:
  struct Read {
    Monotonic sent;
    std::int64_t revision = 0;
  };

  Monotonic give_up_at() const;

  Pace renewals_;
  Pace reads_;
  Monotonic granted_;
  Monotonic valid_since_;  // of the current run without a gap
  Monotonic valid_until_;
  std::optional<Monotonic> view_from_;
  std::int64_t watched_ = 0;
  std::vector<Read> unreached_;  // ascending in both; at most those of the last 2 s
  bool is_lost_ = false;
};

}  // namespace davit::cluster
