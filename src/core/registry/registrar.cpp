#include "core/registry/registrar.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace davit::registry {

using model::RegistryEntry;

namespace {

constexpr Duration kCallLimit = 3s;  // so that a feed that gets no answer can be followed by another one before the ten seconds are over
constexpr Duration kRegisterLimit = 5s;
constexpr Duration kListLimit = 10s;
constexpr Duration kLateRetry = 500ms;
constexpr Duration kFeedRetry = 1s;
constexpr std::uint32_t kFeedRetries = 5;  // by then it counts as dead there
constexpr std::size_t kMostRemovals = 64;
constexpr Duration kSayAgain = 10min;
constexpr Duration kSayNext = 1min;  // of one kind of trouble

// A part of it, alike for one key and spread evenly over many.
Duration share_of(Duration whole, std::string_view key) { return whole / 0x10000 * static_cast<int>(stable_hash(key) & 0xffff); }

Duration pause_after(std::uint32_t failures) { return std::min<Duration>(500ms * (1 << std::min(failures, 5U)), 10s); }
Duration refused_for(std::uint32_t refusals) { return std::min<Duration>(2s * (1 << std::min(refusals, 5U)), 60s); }

bool is_late(Error const& error) { return error.code == Code::Deadline || error.code == Code::UnknownOutcome; }

bool is_same(RegistryEntry const& standing, RegistryEntry const& wanted) {
  return standing.service == wanted.service && standing.address == wanted.address && standing.port == wanted.port &&
         standing.tags == wanted.tags && standing.meta == wanted.meta;
}

std::string meta_of(RegistryEntry const& entry, std::string_view key) {
  auto const found = entry.meta.find(std::string(key));
  return found == entry.meta.end() ? std::string() : found->second;
}

}  // namespace

void Registrar::step(Now now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  std::visit([this](auto const& each) { on(each); }, event);
  send_due();
  out_ = nullptr;
}

Monotonic Registrar::wake_at() const {
  auto at = list_op_ == 0 ? list_at_ : kNever;
  if (!is_up_ || calls_.size() >= calls_at_once_) return at;
  if (!due_.empty()) at = std::min(at, due_.begin()->first);
  if (!registrations_.empty()) at = std::min(at, may_register_at());
  return at;
}

std::vector<std::string> Registrar::pending() const {
  if (!is_up_) return {why_away_.empty() ? "Consul has not been asked yet" : why_away_};
  std::vector<std::string> reasons;
  for (auto const& [id, item] : items_) {
    auto const need = item.op != 0 ? item.doing : need_of(item);
    if (need == Need::Registration) reasons.push_back(fmt::format("{} is not registered yet", id));
    if (need == Need::Removal) reasons.push_back(fmt::format("{} is registered still", id));
  }
  return reasons;
}

bool Registrar::is_gone(std::string const& holder) const {
  auto const ids = by_holder_.find(holder);
  if (!is_up_ || ids == by_holder_.end()) return true;
  return std::ranges::all_of(ids->second, [this](std::string const& id) {
    auto const& item = items_.at(id);
    return item.op == 0 && item.seen == Seen::Absent;
  });
}

// ---- what should be there

void Registrar::on(Wanted const& event) {
  kept_.erase(event.holder);
  for (auto const& id : by_holder_[event.holder]) {
    auto& item = items_.at(id);
    item.wanted.reset();
    item.is_dropped = true;
    item.retry_at = {};  // that a registration was refused does not keep its removal
  }
  for (auto entry : event.entries) {
    entry.meta[std::string(model::registry_meta::kCluster)] = to_string(mark_.cluster);
    entry.meta[std::string(model::registry_meta::kNodeId)] = to_string(mark_.node);
    entry.meta[std::string(model::registry_meta::kKind)] = mark_.kind;
    entry.meta[std::string(model::registry_meta::kHolder)] = event.holder;
    auto& item = item_of(entry.id, event.holder)->second;
    item.is_dropped = false;
    item.wanted = std::move(entry);
  }
  schedule_holder(event.holder);
}

void Registrar::on(Kept const& event) {
  kept_.insert(event.holder);
  for (auto const& id : by_holder_[event.holder]) items_.at(id).is_dropped = false;
  schedule_holder(event.holder);
}

void Registrar::on(AllKnown const&) {
  all_known_ = true;
  schedule_all();
}

// ---- what is there

void Registrar::on(CallDone const& event) {
  if (event.outcome || !is_late(event.outcome.error())) answered_at_ = now_.monotonic;
  if (event.op == list_op_) {
    list_op_ = 0;
    return on_listed(event.outcome);
  }
  auto const done = calls_.extract(event.op);
  if (done.empty()) return;
  on_item_done(items_.find(done.mapped()), event.outcome);
  if (auto const at = items_.find(done.mapped()); at != items_.end()) schedule(at);  // unless it was forgotten with others
}

void Registrar::on_listed(Result<model::RegistryReply> const& outcome) {
  auto const* list = outcome ? std::get_if<model::RegistryEntries>(&*outcome) : nullptr;
  if (list) {
    is_up_ = true;
    list_at_ = now_.monotonic + kListInterval + share_of(kListInterval / 4, to_string(mark_.node));
    take_in(*list);
  } else {
    on_away(outcome ? Error{Code::Internal, "the registry's answer is no list", {}} : outcome.error());
  }
  for (auto& [id, item] : items_) item.changed_since_list = false;
  schedule_all();
  if (is_up_ && removals_.empty() && registrations_.empty() && due_.empty()) on_good();  // else what is written tells
}

void Registrar::take_in(model::RegistryEntries const& list) {
  std::set<std::string> listed;
  std::size_t lost = 0;
  for (auto const& entry : list.all) {
    if (!carries_mark(entry)) continue;
    listed.insert(entry.id);
    auto& item = item_of(entry.id, meta_of(entry, model::registry_meta::kHolder))->second;
    if (item.op != 0 || item.changed_since_list) continue;
    if (item.seen == Seen::There && item.wanted && !is_same(entry, *item.wanted)) ++lost;
    if (item.seen != Seen::There) item.feed_at = now_.monotonic;  // nobody knows when it was fed last
    item.seen = Seen::There;
    item.standing = entry;
  }
  for (auto& [id, item] : items_) {
    if (item.op != 0 || item.changed_since_list || listed.contains(id)) continue;
    if (item.seen == Seen::There && item.wanted) ++lost;
    item.seen = Seen::Absent;
  }
  on_lost(lost);
}

bool Registrar::carries_mark(RegistryEntry const& entry) const {
  return entry.id.starts_with("davit-") && meta_of(entry, model::registry_meta::kCluster) == to_string(mark_.cluster) &&
         meta_of(entry, model::registry_meta::kNodeId) == to_string(mark_.node) &&
         meta_of(entry, model::registry_meta::kKind) == mark_.kind;
}

void Registrar::on_item_done(Items::iterator at, Result<model::RegistryReply> const& outcome) {
  auto& item = at->second;
  auto const done = std::exchange(item.doing, Need::Nothing);
  item.op = 0;
  item.changed_since_list = list_op_ != 0;
  bool const is_absent = !outcome && outcome.error().code == Code::NotFound && done != Need::Registration;
  if (outcome || is_absent) {
    item.refusals = 0;
    if (done == Need::Registration) {
      item.seen = Seen::There;
      item.standing = std::move(item.sent);
      item.feed_at = now_.monotonic + share_of(kFeedInterval, at->first);
    } else if (done == Need::Feed && outcome) {
      item.feed_at = now_.monotonic + kFeedInterval;
    } else {
      if (done == Need::Feed) on_lost(1), list_at_ = now_.monotonic;  // more may be missing
      item.seen = Seen::Absent;
    }
    on_good();
  } else if (outcome.error().code == Code::Invalid) {
    on_refused(item, outcome.error());
  } else if (outcome.error().code == Code::Internal) {
    if (done != Need::Feed) item.seen = Seen::Unknown;
    on_failed(item, done, outcome.error());
  } else {
    if (done != Need::Feed) item.seen = Seen::Unknown;
    if (is_late(outcome.error())) on_late(item, outcome.error());
    else on_away(outcome.error());
  }
}

void Registrar::on_late(Item& item, Error const& error) {
  item.retry_at = now_.monotonic + kLateRetry;
  calls_at_once_ = std::max<std::size_t>(1, calls_at_once_ / 2);
  answers_in_time_ = 0;
  if (answered_at_ < item.asked_at) on_away(error);
}

void Registrar::on_refused(Item& item, Error const& error) {
  item.retry_at = now_.monotonic + refused_for(item.refusals++);
  if (said_refused_at_ && now_.monotonic < *said_refused_at_ + kSayNext) return;
  said_refused_at_ = now_.monotonic;
  note(true, fmt::format("{}: {}", item.wanted ? item.wanted->service : item.standing.service, error.message));
}

// Is it this entry, or Consul as a whole? The list tells. What stands is fed on meanwhile, for it lives only as long as a feed lasts.
void Registrar::on_failed(Item& item, Need done, Error const& error) {
  if (item.refusals == 0 && is_up_) list_at_ = now_.monotonic;
  on_refused(item, error);
  if (done == Need::Feed) item.retry_at = now_.monotonic + (item.refusals <= kFeedRetries ? kFeedRetry : kFeedInterval);
}

// Until a list comes, nothing else is asked.
void Registrar::on_away(Error const& error) {
  why_away_ = error.message;
  if (is_up_ || list_at_ <= now_.monotonic) {
    auto const pause = pause_after(failures_++);
    list_at_ = now_.monotonic + pause + share_of(pause / 4, fmt::format("{}{}", to_string(mark_.node), failures_));
  }
  if (std::exchange(is_up_, false)) schedule_all();
  if (said_away_at_ && now_.monotonic < *said_away_at_ + (is_said_away_ ? kSayAgain : kSayNext)) return;
  said_away_at_ = now_.monotonic;
  is_said_away_ = true;
  note(true, fmt::format("{}; until it answers, clients may find there what is no more", error.message));
}

void Registrar::on_good() {
  if (!is_up_) return;  // an answer from before it went away
  failures_ = 0;
  if (++answers_in_time_ > calls_at_once_ && calls_at_once_ < kMostCalls) ++calls_at_once_, answers_in_time_ = 0;
  if (std::exchange(is_said_away_, false)) note(false, "Consul answers again");
}

void Registrar::on_lost(std::size_t count) {
  if (count == 0 || (said_lost_at_ && now_.monotonic < *said_lost_at_ + kSayNext)) return;
  said_lost_at_ = now_.monotonic;
  note(true, "entries of this node in Consul are missing or were changed by somebody; they are registered again");
}

// ---- what is to be done

Registrar::Items::iterator Registrar::item_of(std::string const& id, std::string const& holder) {
  auto const [at, is_new] = items_.try_emplace(id);
  if (is_new) {
    at->second.holder = holder;
    by_holder_[holder].insert(id);
  }
  return at;
}

Registrar::Need Registrar::need_of(Item const& item) const {
  if (!is_up_ || item.op != 0) return Need::Nothing;
  if (item.wanted) return item.seen == Seen::There && is_same(item.standing, *item.wanted) ? Need::Feed : Need::Registration;
  if (item.seen == Seen::Absent) return Need::Nothing;
  if (kept_.contains(item.holder)) return item.seen == Seen::There ? Need::Feed : Need::Nothing;
  return item.is_dropped || all_known_ ? Need::Removal : Need::Nothing;
}

void Registrar::schedule(Items::iterator at) {
  auto& [id, item] = *at;
  removals_.erase(id);
  registrations_.erase(id);
  if (auto const due = std::exchange(item.due, kNever); due != kNever) due_.erase({due, id});
  auto const need = need_of(item);
  if (need == Need::Nothing) {
    // While the registry is away nobody can tell what stands; the list that comes first when it is back shows it.
    bool const is_to_be_listed = !is_up_ && all_known_ && !kept_.contains(item.holder);
    bool const is_nobodys = !item.wanted && item.op == 0 && (item.seen == Seen::Absent || is_to_be_listed);
    if (is_nobodys) forget(at);
  } else if (need == Need::Feed || item.retry_at > now_.monotonic) {
    item.due = need == Need::Feed ? std::max(item.feed_at, item.retry_at) : item.retry_at;
    due_.emplace(item.due, id);
  } else {
    (need == Need::Removal ? removals_ : registrations_).insert(id);
  }
}

void Registrar::schedule_holder(std::string const& holder) {
  auto const ids = by_holder_.find(holder);
  if (ids == by_holder_.end()) return;
  if (ids->second.empty()) {
    by_holder_.erase(ids);
    return;
  }
  for (auto const& id : std::set(ids->second)) schedule(items_.find(id));
}

void Registrar::schedule_all() {
  for (auto at = items_.begin(); at != items_.end();) schedule(at++);
}

void Registrar::forget(Items::iterator at) {
  auto const ids = by_holder_.find(at->second.holder);
  ids->second.erase(at->first);
  if (ids->second.empty()) by_holder_.erase(ids);
  items_.erase(at);
}

void Registrar::send_due() {
  if (list_op_ == 0 && list_at_ <= now_.monotonic) list_op_ = call(model::ListEntries{mark_}, kListLimit);
  while (!due_.empty() && due_.begin()->first <= now_.monotonic && calls_.size() < calls_at_once_) {
    auto const at = items_.find(due_.begin()->second);
    if (need_of(at->second) == Need::Feed) send(at, Need::Feed);
    else schedule(at);
  }
  while (!removals_.empty() && calls_.size() < kMostRemovals) send(items_.find(*removals_.begin()), Need::Removal);
  while (!registrations_.empty() && calls_.size() < calls_at_once_ && may_register_at() <= now_.monotonic) {
    registered_until_ = std::max(registered_until_, now_.monotonic) + kRegisterInterval;
    send(items_.find(*registrations_.begin()), Need::Registration);
  }
}

void Registrar::send(Items::iterator at, Need need) {
  auto& [id, item] = *at;
  item.doing = need;
  if (need == Need::Registration) {
    item.sent = *item.wanted;
    item.op = call(model::RegisterEntry{*item.wanted}, kRegisterLimit);
  } else if (need == Need::Removal) {
    item.op = call(model::DeregisterEntry{id}, kCallLimit);
  } else {
    item.op = call(model::FeedEntry{id}, kCallLimit);
  }
  item.asked_at = now_.monotonic;
  calls_[item.op] = id;
  schedule(at);
}

OpId Registrar::call(model::RegistryCall what, Duration limit) {
  auto const op = next_op_++;
  out_->push_back(Call{op, std::move(what), now_.monotonic + limit});
  return op;
}

void Registrar::note(bool is_warning, std::string text) { out_->push_back(Noted{is_warning, std::move(text)}); }

}  // namespace davit::registry
