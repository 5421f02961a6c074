#include "adapters/store_etcd/watches.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace davit::store_etcd {
namespace {

constexpr Duration kPause = 100ms;            // before a stream that did not even begin is tried elsewhere
constexpr Duration kPauseWhenRefused = 2s;    // etcd works hard on each authentication
constexpr Duration kReviewInterval = 100ms;
constexpr Duration kPatience = 1500ms;        // with a watch that is behind; doubles while another stream does not help
constexpr Duration kLongestPatience = 30s;
constexpr Duration kVersionLimit = 2s;

}  // namespace

bool tells_progress_in_order(std::string const& version) {
  std::array<int, 3> parts{};
  if (std::sscanf(version.c_str(), "%d.%d.%d", &parts[0], &parts[1], &parts[2]) != 3) return false;
  if (parts < std::array{3, 5, 0}) return parts >= std::array{3, 4, 25};
  return parts >= std::array{3, 5, 8};
}

class Watches::Handle final : public ports::Watch {
 public:
  explicit Handle(Shared subscription) : subscription_(std::move(subscription)) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override {
    subscription_->is_wanted = false;
    subscription_->is_over = true;
    subscription_->stream.reset();
  }

 private:
  Shared subscription_;
};

Watches::Watches(ports::Loop& loop, rpc::Client& rpc, Members& members, Calls& calls)
    : loop_(loop),
      rpc_(rpc),
      members_(members),
      calls_(calls),
      answers_in_order_(members.count()),
      pause_(loop.make_timer()),
      review_(loop.make_timer()) {}

Watches::~Watches() {
  for (auto const& subscription : subscriptions_) {
    subscription->is_wanted = false;
    subscription->stream.reset();
  }
}

std::unique_ptr<ports::Watch> Watches::add(std::string prefix, std::int64_t from, OnBatch on_batch) {
  std::erase_if(subscriptions_, [](auto const& each) { return !each->is_wanted; });
  auto const subscription = std::make_shared<Subscription>();
  subscription->prefix = std::move(prefix);
  subscription->next = from > 0 ? from : seen_ > 0 ? seen_ + 1 : 0;
  subscription->on_batch = std::move(on_batch);
  subscription->patience = kPatience;
  subscriptions_.push_back(subscription);
  open(subscription);
  return std::make_unique<Handle>(subscription);
}

void Watches::open(Shared const& subscription, std::optional<Members::Ix> rather_not) {
  subscription->stream.reset();
  subscription->member = rather_not ? members_.next_after(*rather_not) : members_.current();
  subscription->has_begun = false;
  if (!subscription->member) return;
  if (!calls_.may_ask()) {
    subscription->member.reset();
    return calls_.authenticate();
  }
  auto convert = [this, weak = std::weak_ptr(subscription)](std::string const& bytes) -> rpc::Task {
    return [this, weak, message = read_watch(bytes)]() mutable {
      if (auto const live = weak.lock()) on_message(live, std::move(message));
    };
  };
  auto on_end = [this, weak = std::weak_ptr(subscription)](rpc::Outcome const&) {
    if (auto const live = weak.lock()) on_broken(live);
  };
  subscription->stream =
      rpc_.open(*subscription->member, "/etcdserverpb.Watch/Watch", calls_.metadata(), std::move(convert), std::move(on_end));
  subscription->stream->send(write_watch(subscription->prefix, subscription->next));
}

void Watches::open_waiting() {
  for (auto const& subscription : subscriptions_)
    if (!subscription->is_over && !subscription->stream) open(subscription);
}

void Watches::on_message(Shared const& subscription, Result<WatchMessage> message) {
  if (!message) return on_broken(subscription);
  if (message->cancelled) return on_cancelled(subscription, *message);
  if (message->created) {
    subscription->has_begun = true;
    subscription->was_refused = false;
    if (subscription->next == 0) subscription->next = message->revision + 1;
    return;
  }
  if (message->batches.empty()) message->batches.push_back({.revision = message->revision, .compacted = false, .changes = {}});
  for (auto& batch : message->batches) {
    if (batch.revision < subscription->next) continue;
    subscription->next = batch.revision + 1;
    subscription->patience = kPatience;
    tell(subscription, std::move(batch));
  }
}

// One that has served goes on elsewhere at once.
void Watches::on_broken(Shared const& subscription) {
  if (subscription->has_begun) return open(subscription, subscription->member);
  if (subscription->member) members_.turn_from(*subscription->member);
  open_after(subscription, kPause);
}

void Watches::open_after(Shared const& subscription, Duration pause) {
  subscription->stream.reset();
  subscription->member.reset();
  if (std::exchange(is_pausing_, true)) return;
  pause_->set(loop_.now().monotonic + pause, [this] {
    is_pausing_ = false;
    open_waiting();
  });
}

void Watches::on_cancelled(Shared const& subscription, WatchMessage const& message) {
  if (message.compacted_before == 0) {
    if (!message.created) return on_broken(subscription);
    // Refused: so a token that has run out is answered as well. If a new one does not help, a permission is missing.
    calls_.drop_token();
    return open_after(subscription, std::exchange(subscription->was_refused, true) ? kPauseWhenRefused : Duration::zero());
  }
  subscription->is_over = true;
  subscription->stream.reset();
  tell(subscription, {.revision = message.compacted_before, .compacted = true, .changes = {}});
}

// One at a time, so that many do not hold up the control thread; a posted one may end the watch, or the store.
void Watches::tell(Shared const& subscription, ports::WatchBatch batch) {
  loop_.post([subscription, batch = std::move(batch)] {
    if (!subscription->is_wanted) return;
    auto const on_batch = subscription->on_batch;  // a copy: it may destroy the watch, and with it the function that runs
    on_batch(batch);
  });
}

// What a call has shown of the store's revision: a watch that stays behind it is not kept.
void Watches::notice(std::int64_t revision) {
  seen_ = std::max(seen_, revision);
  bool const any = std::ranges::any_of(subscriptions_, [this](auto const& each) { return !each->is_over && each->next <= seen_; });
  if (!any || std::exchange(is_reviewing_, true)) return;
  review();
}

void Watches::review() {
  is_reviewing_ = false;
  for (auto const& subscription : subscriptions_) is_reviewing_ |= review(subscription);
  if (is_reviewing_) review_->set(loop_.now().monotonic + kReviewInterval, [this] { review(); });
}

// True: it is behind.
bool Watches::review(Shared const& subscription) {
  auto& behind = subscription->behind;
  if (behind && subscription->next > behind->revision) behind.reset();
  if (subscription->is_over || subscription->next == 0 || subscription->next > seen_) return false;
  auto const now = loop_.now().monotonic;
  if (!behind) {
    behind = {.since = now, .revision = seen_};
  } else if (now - behind->since < subscription->patience) {
    ask_for_progress(*subscription);
  } else {
    subscription->patience = std::min(2 * subscription->patience, kLongestPatience);
    behind.reset();
    open(subscription, subscription->member);
  }
  return true;
}

void Watches::ask_for_progress(Subscription& subscription) {
  if (!subscription.stream || !subscription.has_begun) return;
  auto const is_in_order = answers_in_order_[*subscription.member];
  if (!is_in_order) return learn_version(*subscription.member);
  if (*is_in_order) subscription.stream->send(write_progress_request());
}

void Watches::learn_version(Members::Ix member) {
  answers_in_order_[member] = false;  // until the answer has come
  rpc::Call call{.method = "/etcdserverpb.Maintenance/Status",
                 .metadata = calls_.metadata(),
                 .request = {},
                 .deadline = loop_.now().monotonic + kVersionLimit};
  rpc_.call(member, std::move(call), [this, member](rpc::Outcome const& outcome, std::string const& reply) -> rpc::Task {
    auto status = outcome.is_ok() ? read_status(reply) : fail(Code::Unavailable, outcome.message);
    return [this, member, status = std::move(status)] {
      if (status) answers_in_order_[member] = tells_progress_in_order(std::get<MemberStatus>(*status).version);
      else answers_in_order_[member].reset();
    };
  });
}

}  // namespace davit::store_etcd
