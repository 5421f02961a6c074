// Users' commands and the journal: one event at a time for each service, fenced by the shard's grant and by the head's version.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr Duration kUnknownRetry = 500ms;

// The revision whose stored spec the event changes, if any.
bool changes_spec_record(model::EventBody const& body) {
  return !std::holds_alternative<model::RolloutCompleted>(body) && !std::holds_alternative<model::RolloutStopped>(body) &&
         !std::holds_alternative<model::RemovalRequested>(body);
}

}  // namespace

void Master::on(CommandArrived const& event) {
  if (phase_ != Phase::Active) {
    out_->push_back(Reply{event.id, std::unexpected(not_acting())});
    return;
  }
  auto const known = services_.find(event.command.service);
  if (known != services_.end() && known->second.is_appending) {
    known->second.queued.push_back({event.id, event.command});
    return;
  }
  carry_out(event.id, event.command);
}

void Master::carry_out(CommandId id, service::Command const& command) {
  auto const known = services_.find(command.service);
  bool const exists = known != services_.end() && known->second.exists();
  auto const gone = gone_.find(command.service);
  auto decision = decide(exists ? &known->second.head : nullptr, gone == gone_.end() ? nullptr : &gone->second, command);
  if (!decision) {
    out_->push_back(Reply{id, std::unexpected(decision.error())});
    return;
  }
  if (decision->event) {
    auto& service = exists ? known->second : services_[command.service];
    service.head.name = command.service;
    append(service, *std::move(decision->event), id, &command);
    return;
  }
  Applied applied{.store_revision = store_revision_, .replayed = decision->replayed.has_value(), .unchanged = !decision->replayed};
  if (exists) applied.revision = known->second.head.revision;
  if (exists) applied.generation = known->second.head.generation;
  if (decision->replayed) {
    applied.generation = decision->replayed->generation;
    applied.created = applied.generation == 1;
  }
  out_->push_back(Reply{id, applied});
}

Result<model::Head> Master::dry_run(service::Command const& command, Wall now) const {
  auto const* service = find_service(command.service);
  auto const gone = gone_.find(command.service);
  TRY(auto decision, decide(service ? &service->head : nullptr, gone == gone_.end() ? nullptr : &gone->second, command));
  model::Head head = service ? service->head : model::Head{.name = command.service};
  if (!decision.event) return head;
  return apply(head, {.number = head.events + 1, .time = now, .author = command.author, .body = *std::move(decision.event)});
}

void Master::append(Service& service, model::EventBody body, CommandId reply_to, service::Command const* command) {
  CHECK(!service.is_appending, "service {}", service.head.name);
  service.is_appending = true;
  auto const& before = service.head;
  Append append{.service = before.name, .reply_to = reply_to};
  append.event = {.number = before.events + 1,
                  .time = now_.wall,
                  .author = command ? command->author : "davit",
                  .request_id = command ? command->request_id : std::string{},
                  .fingerprint = command ? command->fingerprint : 0,
                  .tag = fmt::format("{}.{}", options_.session, next_tag_++),
                  .body = std::move(body)};
  auto start = before;
  if (auto const gone = gone_.find(before.name); before.events == 0 && gone != gone_.end()) start.requests = gone->second.requests;
  append.head = apply(std::move(start), append.event);
  if (before.events == 0) append.head.uid = {cluster_->era, 0};

  Write write;
  write.compares = {holds_shard(shard_of(before.name)),
                    {model::head_key(before.name), Compare::Target::Version, static_cast<std::int64_t>(before.events)}};
  write.puts = {model::HeadRecord{append.head}, model::EventRecord{before.name, append.event}};
  if (changes_spec_record(append.event.body)) {
    auto const* resolved = std::get_if<model::ImageResolved>(&append.event.body);
    auto const revision = resolved ? resolved->revision : append.head.revision;
    if (auto const kept = append.head.revisions.find(revision); kept != append.head.revisions.end()) {
      write.puts.push_back(model::SpecRecord{before.name, revision, kept->second});
    }
  }
  if (append.event.number > model::kEventsKept)
    write.erases.push_back(model::event_key(before.name, append.event.number - model::kEventsKept));
  for (auto const& [revision, record] : before.revisions) {
    if (!append.head.revisions.contains(revision)) write.erases.push_back(model::spec_key(before.name, revision));
  }
  if (before.events == 0 && gone_.contains(before.name)) write.erases.push_back(model::gone_key(before.name));
  submit(std::move(append), std::move(write));
}

void Master::submit(PendingWrite what, Write write) {
  auto const op = write.op = next_op_++;
  out_->push_back(write);
  in_flight_.emplace(op, InFlight{std::move(what), std::move(write)});
}

void Master::on(WriteDone const& event) {
  auto const found = in_flight_.find(event.op);
  CHECK(found != in_flight_.end(), "write {} is not in flight", event.op);
  auto done = std::move(found->second);
  in_flight_.erase(found);
  if (!event.outcome && event.outcome.error().code == Code::UnknownOutcome) {
    // The same again, until the outcome is known; not at once, for a store in trouble.
    done.was_unknown = true;
    done.retry_at = now_.monotonic + kUnknownRetry;
    in_flight_.emplace(event.op, std::move(done));
    return;
  }
  if (event.outcome && !event.outcome->succeeded && done.was_unknown) {
    // Its own first try may have come through: what stands in the store decides.
    out_->push_back(Load{event.op});
    in_flight_.emplace(event.op, std::move(done));
    return;
  }
  if (!event.outcome) {
    std::visit([&](auto const& what) { on_write_failed(what, event.outcome.error()); }, done.what);
    return;
  }
  if (event.outcome->succeeded) store_revision_ = std::max(store_revision_, event.outcome->revision);
  std::visit([&](auto const& what) { on_written(what, *event.outcome); }, done.what);
}

void Master::on_written(Append const& append, Written const& written) {
  auto& service = services_.at(append.service);
  service.is_appending = false;
  if (!written.succeeded) {
    become_fenced();
    on_write_failed(append, not_acting());
    return;
  }
  auto const before = std::exchange(service.head, append.head);
  if (service.head.uid.revision == 0) {
    service.head.uid.revision = written.revision;
    names_[service.head.uid] = append.service;
    gone_.erase(append.service);
  }
  announce(append, before);
  if (std::holds_alternative<model::SpecChanged>(append.event.body) || std::holds_alternative<model::ImageResolved>(append.event.body)) {
    for (auto& instance : service.instances) instance.is_confirmed = false;  // they learn the spec as it is now
  }
  touch(service);
  plan_soon(service);
  if (append.reply_to != 0) {
    out_->push_back(Reply{append.reply_to, Applied{.generation = service.head.generation,
                                                   .revision = service.head.revision,
                                                   .store_revision = written.revision,
                                                   .created = append.event.number == 1}});
  }
  next_command(service);
}

void Master::on_write_failed(Append const& append, Error const& error) {
  auto& service = services_.at(append.service);
  service.is_appending = false;
  if (append.reply_to != 0) out_->push_back(Reply{append.reply_to, std::unexpected(error)});
  else out_->push_back(Noted{true, fmt::format("service {}: a decision cannot be journalled: {}", append.service, error.message)});
  if (service.exists() && append.reply_to == 0) plan_at(service, now_.monotonic + 1s);  // the decision is still to be made
  next_command(service);
}

// A service whose creation failed, and that nobody else waits to create, is forgotten.
void Master::next_command(Service& service) {
  while (!service.is_appending && !service.queued.empty()) {
    auto const next = std::move(service.queued.front());
    service.queued.pop_front();
    if (phase_ == Phase::Active) carry_out(next.id, next.command);
    else out_->push_back(Reply{next.id, std::unexpected(not_acting())});
  }
  if (service.exists() || service.is_appending) return;
  plan_at(service, kNever);
  touched_.erase(service.head.name);
  services_.erase(std::string(service.head.name));
}

// The last container is gone: so is the journal. What requests had been carried out stays for a while.
void Master::remove_records(Service& service) {
  service.is_appending = true;
  auto const& head = service.head;
  Removal removal{head.name, {head.name, head.uid, now_.wall, head.requests}};
  Write write;
  write.compares = {holds_shard(shard_of(head.name)),
                    {model::head_key(head.name), Compare::Target::Version, static_cast<std::int64_t>(head.events)}};
  write.puts = {removal.gone};
  write.erases = {model::head_key(head.name)};
  for (auto const& [revision, record] : head.revisions) write.erases.push_back(model::spec_key(head.name, revision));
  auto const first_event = head.events > model::kEventsKept ? head.events - model::kEventsKept + 1 : 1;
  for (auto number = first_event; number <= head.events; ++number) write.erases.push_back(model::event_key(head.name, number));
  submit(std::move(removal), std::move(write));
}

void Master::on_written(Removal const& removal, Written const& written) {
  auto& service = services_.at(removal.service);
  service.is_appending = false;
  if (!written.succeeded) {
    become_fenced();
    next_command(service);
    return;
  }
  names_.erase(service.head.uid);
  gone_[removal.service] = removal.gone;
  if (service.plan_at != kNever) plan_at(service, kNever);
  touched_.erase(removal.service);
  ++version_;
  forget_old_requests();
  changed({.type = "service.removed", .service = removal.service, .revision = service.head.revision});
  auto queued = std::move(service.queued);
  services_.erase(removal.service);
  for (auto const& next : queued) on(CommandArrived{next.id, next.command});
}

void Master::on_write_failed(Removal const& removal, Error const& error) {
  auto& service = services_.at(removal.service);
  service.is_appending = false;
  out_->push_back(Noted{true, fmt::format("service {} cannot be removed from the store: {}", removal.service, error.message)});
  plan_at(service, now_.monotonic + 1s);
  next_command(service);
}

void Master::retry_unknown() {
  for (auto& [op, in_flight] : in_flight_) {
    if (in_flight.retry_at > now_.monotonic) continue;
    in_flight.retry_at = kNever;
    out_->push_back(in_flight.write);
  }
}

// The store as it is after a write whose outcome was unknown and whose compare did not hold.
void Master::settle_unknown(OpId op, StoreImage const& image) {
  auto const found = in_flight_.find(op);
  CHECK(found != in_flight_.end(), "write {} is not in flight", op);
  auto const done = std::move(found->second);
  in_flight_.erase(found);
  auto const key = done.write.puts.empty() ? std::string{} : model::key_of(done.write.puts.front());
  auto const stood = image.mod_revisions.find(key);
  Written const written{std::visit([&](auto const& what) { return stands_in(image, what); }, done.what),
                        stood == image.mod_revisions.end() ? image.revision : stood->second};
  if (written.succeeded) store_revision_ = std::max(store_revision_, written.revision);
  std::visit([&](auto const& what) { on_written(what, written); }, done.what);
}

bool Master::stands_in(StoreImage const& image, Append const& append) const {
  auto const head = std::ranges::find(image.heads, append.service, &model::Head::name);
  return head != image.heads.end() && head->tag == append.head.tag;
}
bool Master::stands_in(StoreImage const& image, Removal const& removal) const {
  return std::ranges::find(image.gone, removal.gone) != image.gone.end();
}
bool Master::stands_in(StoreImage const& image, ClusterWrite const&) const {
  return image.cluster && image.cluster->uid == options_.new_cluster;
}
bool Master::stands_in(StoreImage const& image, ShardClaim const& claim) const {
  return std::ranges::all_of(claim.shards, [&](ShardId shard) {
    auto const session = image.sessions.find(shard.value);
    return session != image.sessions.end() && session->second == options_.session;
  });
}
bool Master::stands_in(StoreImage const&, NodeWrite const&) const { return true; }  // this master alone writes them
bool Master::stands_in(StoreImage const&, GoneErasure const&) const { return true; }

Error Master::not_acting() const {
  if (phase_ == Phase::Fenced) return {Code::Unavailable, "this master acts no more; ask another one", {}};
  if (boot_error_) return *boot_error_;
  return {Code::Unavailable, "this master is starting; ask again in a moment", {}};
}

Fence Master::fence_of(std::string_view service) const {
  auto const shard = shard_of(service);
  return {shard, epochs_.at(shard.value)};
}

Compare Master::holds_shard(ShardId shard) const {
  return {model::shard_key(shard), Compare::Target::ModRevision, epochs_.at(shard.value).revision};
}

namespace {

struct Announcement {
  std::string_view type;
  std::string message;
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
Announcement describe(model::Head const& before, model::Head const& after, model::RolledBack const&) {
  return {"service.rolled_back", fmt::format("from revision {} to {}", before.revision, after.revision)};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutCompleted const&) {
  return {"service.updated", fmt::format("revision {} is in place", after.revision)};
}
Announcement describe(model::Head const&, model::Head const& after, model::RolloutStopped const& body) {
  return {"service.updated", fmt::format("the way to revision {} stopped: {}", after.revision, body.message)};
}
Announcement describe(model::Head const&, model::Head const&, model::ImageResolved const& body) {
  return {"service.updated", fmt::format("revision {} runs {}", body.revision, body.digest)};
}
Announcement describe(model::Head const&, model::Head const&, model::RemovalRequested const&) {
  return {"service.updated", "removal begins"};
}

}  // namespace

void Master::announce(Append const& append, model::Head const& before) {
  auto const [type, message] = std::visit([&](auto const& body) { return describe(before, append.head, body); }, append.event.body);
  auto const* stopped = std::get_if<model::RolloutStopped>(&append.event.body);
  changed({.type = std::string(type),
           .service = append.service,
           .revision = append.head.revision,
           .reason = stopped ? stopped->reason : model::Reason::None,
           .message = message});
}

}  // namespace davit::master
