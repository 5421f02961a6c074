// Heads of services: by this master's own writes, and by the view for all others.
#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"

namespace davit::master {

namespace {

struct Announcement {
  std::string_view type;
  std::string message;
  model::Reason reason = model::Reason::None;
};

Announcement describe(model::Head const&, model::Head const& after, model::ServiceCreated const&) {
  return {"service.created", fmt::format("{} instances of {}", after.spec()->instances, after.spec()->image)};
}
Announcement describe(model::Head const& before, model::Head const& after, model::SpecChanged const& body) {
  auto scaled = *before.spec();
  scaled.instances = after.spec()->instances;
  if (scaled == *after.spec())
    return {"service.scaled", fmt::format("{} → {} instances", before.spec()->instances, after.spec()->instances)};
  if (!body.replaces) return {"service.updated", "no instance is replaced"};
  return {"service.updated", fmt::format("to revision {}: {}", after.revision, after.spec()->image)};
}
Announcement describe(model::Head const&, model::Head const& after, model::ServiceRestarted const&) {
  return {"service.updated", fmt::format("restart as revision {}", after.revision)};
}
Announcement describe(model::Head const& before, model::Head const& after, model::RolledBack const& body) {
  auto const way = fmt::format("from revision {} to {}", before.revision, after.revision);
  return {"service.rolled_back", body.is_automatic ? fmt::format("{}: {}", way, body.message) : way, body.reason};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutCompleted const& body) {
  if (body.is_partial)
    return {"service.updated", fmt::format("revision {} is in place in part: {}", after.revision, body.message), body.reason};
  return {"service.updated", fmt::format("revision {} is in place", after.revision)};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutStopped const& body) {
  return {"service.updated", fmt::format("the way to revision {} stopped: {}", after.revision, body.message), body.reason};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutPaused const&) {
  return {"service.updated", fmt::format("the way to revision {} is paused", after.revision)};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutResumed const&) {
  return {"service.updated", fmt::format("the way to revision {} goes on", after.revision)};
}
Announcement describe(model::Head const&, model::Head const&, model::ImageResolved const& body) {
  return {"service.updated", fmt::format("revision {} runs {}", body.revision, body.digest)};
}
Announcement describe(model::Head const&, model::Head const&, model::RemovalRequested const&) {
  return {"service.updated", "removal begins"};
}

}  // namespace

// A service's records of one revision stand in one batch: its event, its head, and the specs that changed.
void Master::take_in_journals(StoreBatch const& batch) {
  std::map<std::string, std::map<std::uint32_t, model::RevisionRecord>> specs;
  std::map<std::string, model::JournalEvent const*> events;
  for (auto const& change : batch.changes) {
    if (!change.record) continue;
    if (auto const* spec = std::get_if<model::SpecRecord>(&*change.record)) specs[spec->service][spec->revision] = spec->content;
    if (auto const* event = std::get_if<model::EventRecord>(&*change.record)) events[event->service] = &event->event;
  }
  for (auto const& change : batch.changes) {
    if (!change.record) {
      if (change.key.ends_with("/head")) on_head_erased(change.key, change.mod_revision);
      continue;
    }
    auto const* record = std::get_if<model::HeadRecord>(&*change.record);
    if (!record) continue;
    auto head = record->head;
    if (head.uid.revision == 0) head.uid.revision = change.create_revision;
    auto const known = services_.find(head.name);
    bool const is_same = known != services_.end() && known->second.exists() && known->second.head.uid == head.uid;
    for (auto& [revision, content] : head.revisions) {
      auto const& fresh = specs[head.name];
      if (auto const found = fresh.find(revision); found != fresh.end()) content = found->second;
      else if (is_same && known->second.head.revisions.contains(revision)) content = known->second.head.revisions.at(revision);
    }
    auto const event = events.find(head.name);
    bool const has_event = event != events.end() && event->second->number == head.events;
    on_head(std::move(head), change.mod_revision, has_event ? event->second : nullptr);
  }
}

void Master::on_head(model::Head head, std::int64_t written_at, model::JournalEvent const* event) {
  auto const known = services_.find(head.name);
  bool const is_known = known != services_.end() && known->second.exists();
  if (is_known && known->second.head.uid == head.uid && known->second.head.events >= head.events) return;  // an own write
  if (is_known && known->second.head.uid > head.uid) return;  // of a service that an own write has followed
  for (auto const& [revision, content] : head.revisions) {
    CHECK(content.spec, "no spec of revision {} of service {}", revision, head.name);
  }
  if (is_known && known->second.head.uid != head.uid) forget_service(head.name);
  auto& service = services_[head.name];
  service.head_at = written_at;
  install(service, std::move(head), event);
}

void Master::on_head_erased(std::string const& key, std::int64_t revision) {
  auto const path = key.substr(0, key.rfind('/'));
  auto const name = path.substr(path.rfind('/') + 1);
  auto const known = services_.find(name);
  if (known == services_.end() || !known->second.exists()) return;
  // Older than the service: it was of one that an own write has followed. A service of an earlier era has a revision of another store.
  if (known->second.head.uid > ServiceUid{view_.cluster.record.era, revision}) return;
  forget_service(name);
}

// The service as it is after its newest event; the first one makes it.
void Master::install(Service& service, model::Head head, model::JournalEvent const* event) {
  auto const before = std::exchange(service.head, std::move(head));
  auto const& after = service.head;
  service.shard = shard_of(after.name);
  names_[after.uid] = after.name;
  see_spec(service);
  if (after.last_revision != before.last_revision) see_revisions(service, before);
  bool const is_next = event && event->number == before.events + 1 && !is_catching_up_;
  if (is_next) announce(before, after, *event);
  bool const is_told_to_agents =
      event && (std::holds_alternative<model::SpecChanged>(event->body) || std::holds_alternative<model::ImageResolved>(event->body));
  if (is_told_to_agents) {
    for (auto& instance : service.instances) instance.is_confirmed = false;  // they learn the spec as it is now
  }
  touch(service);
  plan_soon(service);
  claim_instances(after.uid);
}

void Master::claim_instances(ServiceUid uid) {
  auto const first = unclaimed_.lower_bound({uid, InstanceId{}});
  auto last = first;
  while (last != unclaimed_.end() && last->first.first == uid) ++last;
  std::vector<Unclaimed> found;
  for (auto each = first; each != last; ++each) found.push_back(std::move(each->second));
  unclaimed_.erase(first, last);
  for (auto const& each : found) merge(node_of(each.node), each.report);
}

// Its journal is gone, and so is all that was known of its instances.
void Master::forget_service(std::string const& name) {
  auto& service = services_.at(name);
  std::vector<std::pair<std::uint32_t, InstanceId>> all;
  for (auto const& instance : service.instances) all.emplace_back(instance.slot, instance.id);
  for (auto const& [slot, id] : all) erase(service, *service.find(slot, id));
  names_.erase(service.head.uid);
  touch_all(claims_.erase(service.head.uid));
  placement_.forget(service.head.uid);
  plan_at(service, kNever);
  touched_.erase(name);
  see_directory(name);
  ++version_;
  changed({.type = "service.removed", .service = name, .revision = service.head.revision});
  bool const is_appending = service.is_appending;
  auto queued = std::move(service.queued);
  services_.erase(name);
  if (is_appending) {
    // A write for it is still on its way: what comes of it is told to a service that does not exist yet.
    auto& rest = services_[name];
    rest.head.name = name;
    rest.shard = shard_of(name);
    rest.is_appending = true;
  }
  for (auto& next : queued) wait(next.id, std::move(next.command), 0s);
}

void Master::announce(model::Head const& before, model::Head const& after, model::JournalEvent const& event) {
  auto const [type, message, reason] = std::visit([&](auto const& body) { return describe(before, after, body); }, event.body);
  changed({.type = std::string(type), .service = after.name, .revision = after.revision, .reason = reason, .message = message});
}

}  // namespace davit::master
