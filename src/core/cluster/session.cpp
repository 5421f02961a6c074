#include "core/cluster/session.hpp"

#include <algorithm>

namespace davit::cluster {

void Pace::on_sent(Monotonic now) {
  sent_ = now;
  next_ = now + interval_;
}

void Pace::on_failed(Monotonic now) { next_ = std::min(next_, std::max(now, sent_ + kRetryGap)); }

SessionClock::SessionClock(Monotonic sent, Duration ttl)
    : renewals_(kRenewalInterval, sent + kRenewalInterval),
      reads_(kReadInterval, sent),
      granted_(sent),
      valid_since_(sent),
      valid_until_(sent + ttl - kLeaseMargin) {}

void SessionClock::on_renewed(Monotonic sent, Duration ttl) {
  if (ttl <= Duration::zero()) return on_lease_lost();
  if (sent >= valid_until_) valid_since_ = sent;
  valid_until_ = std::max(valid_until_, sent + ttl - kLeaseMargin);
}

void SessionClock::on_read(Monotonic sent, std::int64_t revision) {
  std::erase_if(unreached_, [&](Read const& read) { return read.sent + kFreshFor <= sent; });
  auto const after = std::ranges::upper_bound(unreached_, sent, {}, &Read::sent);
  unreached_.insert(after, {sent, revision});
  on_watched(watched_);
}

void SessionClock::on_watched(std::int64_t revision) {
  watched_ = std::max(watched_, revision);
  std::erase_if(unreached_, [&](Read const& read) {
    if (read.revision > watched_) return false;
    view_from_ = std::max(view_from_.value_or(read.sent), read.sent);
    return true;
  });
}

// While renewals fail as well, the lease ends by itself or outlives the gap: the time without them is not counted.
Monotonic SessionClock::give_up_at() const {
  if (!view_from_) return std::max(granted_, valid_since_) + kFirstFreshLimit;
  return std::max(fresh_until(), valid_since_) + kUnfreshLimit;
}

}  // namespace davit::cluster
