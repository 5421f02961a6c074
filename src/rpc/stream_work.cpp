#include "rpc/stream_work.hpp"

#include <utility>

namespace davit::rpc {
namespace {
constexpr std::size_t kMessageCost = 512;  // bytes that a message takes while it waits, besides its own
}

void StreamWork::send(std::string message, Monotonic valid_until) {
  std::unique_lock lock(mutex_);
  if (is_broken_) return;
  unsent_bytes_ += message.size();
  unsent_.push_back({std::move(message), valid_until});
  if (unsent_bytes_ > kMostUnsent) {
    unsent_.clear();
    unsent_bytes_ = 0;
    is_broken_ = true;
    lock.unlock();
    return cancel();
  }
  write_next();
}

std::size_t StreamWork::unsent() const {
  std::lock_guard const lock(mutex_);
  return unsent_bytes_;
}

void StreamWork::begin() {
  self_ = shared_from_this();
  running_.add(*this);
}

void StreamWork::open(ConvertMessage convert, std::shared_ptr<StreamUser> user) {
  convert_ = std::move(convert);
  user_ = std::move(user);
  {
    std::lock_guard const lock(mutex_);
    is_open_ = true;
    write_next();
  }
  read(&incoming_, read_.tag());
}

void StreamWork::on_started(bool ok) {
  if (!ok) return finish();
  open(std::move(convert_), std::move(user_));
}

void StreamWork::on_read(bool ok) {
  if (!ok) return finish();
  auto const size = incoming_.Length() + kMessageCost;
  auto take = [user = user_, task = convert_(to_bytes(incoming_)), work = weak_from_this(), size] {
    if (user->is_there) task();
    if (auto const stream = work.lock()) stream->on_taken(size);
  };
  bool is_held = false;
  {
    std::lock_guard const lock(mutex_);
    untaken_bytes_ += size;
    is_held = is_read_held_ = untaken_bytes_ > kMostUntaken && !is_cancelled_;
  }
  bridge_.post(std::move(take));
  if (!is_held) read(&incoming_, read_.tag());
}

void StreamWork::on_taken(std::size_t bytes) {
  {
    std::lock_guard const lock(mutex_);
    untaken_bytes_ -= bytes;
    if (!is_read_held_ || untaken_bytes_ > kMostUntaken / 2) return;
    is_read_held_ = false;
  }
  read(&incoming_, read_.tag());
}

// Also where the control thread takes nothing any more: the read that was held fails then, and so the stream ends.
void StreamWork::cancel() {
  try_cancel();
  {
    std::lock_guard const lock(mutex_);
    is_cancelled_ = true;
    if (!std::exchange(is_read_held_, false)) return;
  }
  read(&incoming_, read_.tag());
}

void StreamWork::on_written(bool ok) {
  std::lock_guard const lock(mutex_);
  is_writing_ = false;
  if (ok) write_next();
  else is_broken_ = true;
  finish_if_still();
}

// After the last message; waits for a write that is under way.
void StreamWork::finish() {
  std::lock_guard const lock(mutex_);
  is_broken_ = true;
  is_ending_ = true;
  finish_if_still();
}

// For an end that nobody has taken yet: gRPC does nothing for it by which it could notice.
void StreamWork::finish_unless_open() {
  std::lock_guard const lock(mutex_);
  if (is_open_) return;
  is_broken_ = is_ending_ = true;
  finish_if_still();
}

void StreamWork::on_finished(bool) {
  auto const self = std::move(self_);
  if (user_) post([user = user_, end = outcome()] { user->on_end(end); });
  running_.remove(*this);
}

void StreamWork::post(Task task) {
  bridge_.post([user = user_, task = std::move(task)] {
    if (user->is_there) task();
  });
}

// Under the lock, as the next.
void StreamWork::write_next() {
  if (!is_open_ || is_writing_ || is_broken_) return;
  bool is_any_dropped = false;
  while (!unsent_.empty() && unsent_.front().valid_until <= bridge_.now()) {
    unsent_bytes_ -= unsent_.front().message.size();
    unsent_.pop_front();
    is_any_dropped = true;
  }
  if (is_any_dropped) {
    post([user = user_] {
      if (user->on_dropped) user->on_dropped();
    });
  }
  if (unsent_.empty()) return;
  is_writing_ = true;
  outgoing_ = to_buffer(unsent_.front().message);
  unsent_bytes_ -= unsent_.front().message.size();
  unsent_.pop_front();
  write(outgoing_, written_.tag());
}

void StreamWork::finish_if_still() {
  if (!is_ending_ || is_writing_ || has_ended_) return;
  has_ended_ = true;
  end(finished_.tag());
}

StreamHandle::~StreamHandle() {
  user_->is_there = false;
  if (auto const work = work_.lock()) work->cancel();
}

void StreamHandle::send(std::string message, Monotonic valid_until) {
  if (auto const work = work_.lock()) work->send(std::move(message), valid_until);
}

std::size_t StreamHandle::unsent() const {
  auto const work = work_.lock();
  return work ? work->unsent() : 0;
}

}  // namespace davit::rpc
