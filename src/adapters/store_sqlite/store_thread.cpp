#include "adapters/store_sqlite/store_thread.hpp"

#include <algorithm>
#include <utility>

namespace davit::store_sqlite {

StoreThread::StoreThread(KvFile file, std::size_t max_group, Answered answered, Delivered delivered)
    : file_(std::move(file)),
      max_group_(max_group),
      answered_(std::move(answered)),
      delivered_(std::move(delivered)),
      thread_([this] { run(); }) {}

StoreThread::~StoreThread() {
  {
    std::lock_guard const lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StoreThread::push(CallId id, Request request) {
  {
    std::lock_guard const lock(mutex_);
    queue_.push_back({.id = id, .request = std::move(request)});
  }
  wake_.notify_one();
}

bool StoreThread::withdraw(CallId id) {
  std::lock_guard const lock(mutex_);
  return std::erase_if(queue_, [id](Call const& call) { return call.id == id; }) > 0;
}

void StoreThread::run() {
  for (auto calls = take(); !calls.empty(); calls = take()) {
    if (std::holds_alternative<ports::Commit>(calls.front().request)) perform_commits(std::move(calls));
    else perform(std::move(calls.front()));
    deliver_to_all();
  }
}

std::vector<StoreThread::Call> StoreThread::take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  std::vector<Call> taken;
  if (stopping_) return taken;
  do {
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  } while (std::holds_alternative<ports::Commit>(taken.front().request) && taken.size() < max_group_ && !queue_.empty() &&
           std::holds_alternative<ports::Commit>(queue_.front().request));
  return taken;
}

void StoreThread::perform_commits(std::vector<Call> calls) {
  std::vector<ports::Commit> group;
  group.reserve(calls.size());
  for (auto& call : calls) group.push_back(std::get<ports::Commit>(std::move(call.request)));
  auto answers = file_.commit(group);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (answers[i]) answered_(calls[i].id, Answer{*answers[i]});
    else answered_(calls[i].id, std::unexpected(std::move(answers[i]).error()));
  }
}

void StoreThread::perform(Call call) {
  answered_(call.id, std::visit([this](auto const& request) { return on(request); }, call.request));
}

Result<Answer> StoreThread::on(ports::Range const& range) {
  TRY(auto result, file_.range(range));
  return Answer{std::move(result)};
}

Result<Answer> StoreThread::on(GrantLease const& grant) {
  TRY(auto granted, file_.grant_lease(grant.ttl));
  return Answer{granted};
}

Result<Answer> StoreThread::on(RenewLease const& renew) {
  TRY(auto granted, file_.renew_lease(renew.lease));
  return Answer{granted};
}

Result<Answer> StoreThread::on(RevokeLease const& revoke) {
  TRY_VOID(file_.revoke_lease(revoke.lease));
  return Answer{Nothing{}};
}

Result<Answer> StoreThread::on(Compact const& compact) {
  TRY_VOID(file_.compact(compact.before_revision));
  return Answer{Nothing{}};
}

Result<Answer> StoreThread::on(ReadStatus const&) { return Answer{file_.status()}; }

Result<Answer> StoreThread::on(StartWatch const& start) {
  if (start.subscription->next <= 0) start.subscription->next = file_.revision() + 1;
  subscriptions_.push_back(start.subscription);  // its first batches leave with the next delivery
  return Answer{Nothing{}};
}

Result<Answer> StoreThread::on(ports::Commit const& commit) {
  auto answers = file_.commit({&commit, 1});
  if (!answers.front()) return std::unexpected(std::move(answers.front()).error());
  return Answer{*answers.front()};
}

void StoreThread::deliver_to_all() {
  std::erase_if(subscriptions_, [this](auto const& subscription) { return !deliver(subscription); });
  file_.trim_history();
}

bool StoreThread::deliver(std::shared_ptr<Subscription> const& subscription) {
  if (subscription->ended) return false;
  auto const& history = file_.history();
  if (!history.can_watch_from(subscription->next)) {
    delivered_(subscription, {.revision = history.first_revision(), .compacted = true, .changes = {}});
    return false;
  }
  for (auto& batch : history.batches(subscription->prefix, subscription->next)) delivered_(subscription, std::move(batch));
  subscription->next = std::max(subscription->next, file_.revision() + 1);
  return true;
}

}  // namespace davit::store_sqlite
