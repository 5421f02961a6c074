#include "model/journal.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace davit::model {
namespace {

void begin_revision(Head& head, SpecRef spec, Wall time) {
  auto const before = revision_in_place(head);
  head.revision = ++head.last_revision;
  head.revisions[head.revision] = {std::move(spec), {}, time};
  head.rollout = {.state = RolloutState::Active, .from = before, .to = head.revision, .since = time};
}

// Keeps the current revision, the one a rollout comes from, and the newest others.
void drop_old_revisions(Head& head) {
  for (auto it = head.revisions.begin(); head.revisions.size() > kRevisionsKept;) {
    bool const in_use = it->first == head.revision || it->first == revision_in_place(head) || it->first == head.rollout.from ||
                        it->first == head.revision_before;
    it = in_use ? std::next(it) : head.revisions.erase(it);
  }
}

void remember_request(Head& head, JournalEvent const& event) {
  std::erase_if(head.requests, [&](RequestMemo const& memo) { return memo.at + kRequestsKeptFor < event.time; });
  if (event.request_id.empty()) return;
  head.requests.push_back({event.request_id, event.fingerprint, head.generation, event.time});
  if (head.requests.size() > kRequestsKept) head.requests.erase(head.requests.begin());
}

void on(Head& head, JournalEvent const& event, ServiceCreated const& body) {
  head.generation = 1;
  head.revision = head.last_revision = 1;
  head.revisions[1] = {body.spec, {}, event.time};
  head.created_at = event.time;
}

void on(Head& head, JournalEvent const& event, SpecChanged const& body) {
  ++head.generation;
  if (body.replaces) {
    begin_revision(head, body.spec, event.time);
  } else {
    head.revisions.at(head.revision).spec = body.spec;
  }
}

void on(Head& head, JournalEvent const& event, ServiceRestarted const&) {
  ++head.generation;
  // `pull_policy: always` is how a user asks that a restart takes what the tag means by now.
  auto const digest = head.spec()->pull_policy == PullPolicy::Always ? std::string{} : head.digest();
  begin_revision(head, head.spec(), event.time);
  head.revisions.at(head.revision).digest = digest;
}

void on(Head& head, JournalEvent const& event, RolledBack const& body) {
  ++head.generation;
  auto const before = head.revision;
  head.revision = body.to_revision;
  head.revisions.at(head.revision).spec = body.spec;
  head.rollout = {.state = RolloutState::Active,
                  .from = before,
                  .to = head.revision,
                  .is_rollback = true,
                  .is_automatic = body.is_automatic,
                  .reason = body.reason,
                  .message = body.message,
                  .since = event.time};
}

void on(Head& head, JournalEvent const&, RolloutCompleted const& body) {
  auto& rollout = head.rollout;
  if (!body.is_partial && !rollout.is_rollback && rollout.from != 0) head.revision_before = rollout.from;
  if (body.is_partial) {
    rollout.state = RolloutState::Incomplete;
    rollout.reason = body.reason;
    rollout.message = body.message;
  } else if (rollout.is_automatic) {
    rollout.state = RolloutState::RolledBack;
  } else {
    rollout = {};
  }
}

void on(Head& head, JournalEvent const& event, RolloutStopped const& body) {
  head.rollout.state = RolloutState::Stopped;
  head.rollout.reason = body.reason;
  head.rollout.message = body.message;
  head.rollout.since = event.time;
}

void on(Head& head, JournalEvent const&, RolloutPaused const&) {
  ++head.generation;
  head.rollout.state = RolloutState::Paused;
}

void on(Head& head, JournalEvent const& event, RolloutResumed const&) {
  ++head.generation;
  head.rollout.state = RolloutState::Active;
  head.rollout.since = event.time;
  if (head.rollout.is_automatic) return;  // goes on saying what it was needed for
  head.rollout.reason = Reason::None;
  head.rollout.message.clear();
}

void on(Head& head, JournalEvent const&, ImageResolved const& body) {
  if (auto const kept = head.revisions.find(body.revision); kept != head.revisions.end()) kept->second.digest = body.digest;
}

void on(Head& head, JournalEvent const&, RemovalRequested const&) {
  ++head.generation;
  head.removing = true;
  head.rollout = {};
}

}  // namespace

std::uint32_t revision_in_place(Head const& head) {
  bool const is_at_its_end = head.rollout.state == RolloutState::None || head.rollout.state == RolloutState::RolledBack;
  if (is_at_its_end) return head.revision;
  return head.rollout.is_rollback ? head.rollout.to : head.rollout.from;
}

std::string_view event_type(EventBody const& body) {
  static constexpr std::string_view kTypes[] = {"created",           "spec_changed",    "restarted",      "rolled_back",
                                                "rollout_completed", "rollout_stopped", "image_resolved", "removal_requested",
                                                "rollout_paused",    "rollout_resumed"};
  return kTypes[body.index()];
}

Head apply(Head head, JournalEvent const& event) {
  CHECK(event.number == head.events + 1, "event {} after event {} of service {}", event.number, head.events, head.name);
  CHECK(std::holds_alternative<ServiceCreated>(event.body) == (event.number == 1), "service {}", head.name);
  head.events = event.number;
  head.tag = event.tag;
  head.updated_at = event.time;
  std::visit([&](auto const& body) { on(head, event, body); }, event.body);
  remember_request(head, event);
  drop_old_revisions(head);
  return head;
}

}  // namespace davit::model
