#include "model/journal.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace davit::model {
namespace {

void begin_revision(Head& head, SpecRef spec, Wall time) {
  // The last one that was in place: a way that was not gone to its end is no place to go back to.
  auto const before = head.rollout.state == RolloutState::None ? head.revision : head.rollout.from;
  head.revision = ++head.last_revision;
  head.revisions[head.revision] = {std::move(spec), {}, time};
  head.rollout = {RolloutState::Active, before, head.revision, false, Reason::None, {}, time};
}

// Keeps the current revision, the one a rollout comes from, and the newest others.
void drop_old_revisions(Head& head) {
  for (auto it = head.revisions.begin(); head.revisions.size() > kRevisionsKept;) {
    bool const in_use = it->first == head.revision || (head.rollout.state != RolloutState::None && it->first == head.rollout.from);
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
  head.rollout = {RolloutState::Active, before, head.revision, true, Reason::None, {}, event.time};
}

void on(Head& head, JournalEvent const&, RolloutCompleted const&) { head.rollout = {}; }

void on(Head& head, JournalEvent const& event, RolloutStopped const& body) {
  head.rollout.state = RolloutState::Stopped;
  head.rollout.reason = body.reason;
  head.rollout.message = body.message;
  head.rollout.since = event.time;
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

std::string_view event_type(EventBody const& body) {
  static constexpr std::string_view kTypes[] = {"created",           "spec_changed",    "restarted",      "rolled_back",
                                                "rollout_completed", "rollout_stopped", "image_resolved", "removal_requested"};
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
