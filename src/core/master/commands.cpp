// The journal: one event at a time for each service, fenced by the shard's grant and by the head's version.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "base/units.hpp"
#include "core/master/answers.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr Duration kUnknownRetry = 500ms;
constexpr Duration kDutyRetry = 500ms;
constexpr Duration kRequeue = 100ms;
constexpr Duration kStoreLimit = 10s;  // for its answer to what a user waits for
constexpr Duration kStoreStillSilent = 1s;  // then those that come meanwhile wait no longer
constexpr Duration kMeasureStoreEvery = 10s;
constexpr std::int64_t kMostPercent = 80;  // protocol.md §2

bool is_short_of_room(StoreMeasured const& size) { return size.size_bytes * 100 > size.quota_bytes * kMostPercent && size.quota_bytes > 0; }

std::string short_of_room(StoreMeasured const& size) {
  return fmt::format(
      "the store holds {} of its quota of {}, and above {} % only removals of services are taken: remove what is not needed, "
      "or give it a larger quota",
      format_bytes({size.size_bytes}), format_bytes({size.quota_bytes}), kMostPercent);
}

// The revision whose stored spec the event changes, if any.
bool changes_spec_record(model::EventBody const& body) {
  return std::holds_alternative<model::ServiceCreated>(body) || std::holds_alternative<model::SpecChanged>(body) ||
         std::holds_alternative<model::ServiceRestarted>(body) || std::holds_alternative<model::RolledBack>(body) ||
         std::holds_alternative<model::ImageResolved>(body);
}

}  // namespace

void Master::carry_out_or_queue(CommandId id, model::Command const& command) {
  auto const known = services_.find(command.service);
  if (known != services_.end() && known->second.is_appending) known->second.queued.push_back({id, command});
  else carry_out(id, command);
}

void Master::carry_out(CommandId id, model::Command const& command) {
  auto const known = services_.find(command.service);
  bool const exists = known != services_.end() && known->second.exists();
  auto const gone = view_.gone.find(command.service);
  auto decision =
      service::decide(exists ? &known->second.head : nullptr, gone == view_.gone.end() ? nullptr : &gone->second.record, command);
  if (!decision) return reply_if_so(id, command, std::unexpected(decision.error()));
  if (decision->event) {
    auto const room = check_store(*decision->event);
    if (!room) return reply(id, std::unexpected(room.error()));
    auto const free = check_ports(command.service, *decision->event);
    if (!free) return reply(id, std::unexpected(free.error()));
    auto& service = exists ? known->second : services_[command.service];
    service.head.name = command.service;
    service.shard = shard_of(command.service);
    return append(service, *std::move(decision->event), QueuedCommand{id, command});
  }
  if (auto const* move = std::get_if<model::Move>(&command.body)) begin_moves(known->second, *move);
  Applied applied{.store_revision = store_revision_, .replayed = decision->replayed.has_value(), .unchanged = !decision->replayed};
  if (exists && !decision->replayed) applied.revision = known->second.head.revision;
  if (exists) applied.generation = known->second.head.generation;
  if (decision->replayed) {
    applied.generation = decision->replayed->generation;
    applied.created = applied.generation == 1;
  }
  bool const is_on_record = decision->replayed || std::holds_alternative<model::Move>(command.body);
  if (is_on_record) reply(id, applied);
  else reply_if_so(id, command, applied);
}

// That there is nothing to do, or that it cannot be done, was decided by what the view shows; another owner may have written since. So
// the store is asked whether that is still so: a write of nothing, with the compares that an event would have had.
void Master::reply_if_so(CommandId id, model::Command const& command, Result<Applied> answer) {
  auto const known = services_.find(command.service);
  Service absent;
  absent.head.name = command.service;
  Write look{.compares = is_as_it_was(known == services_.end() ? absent : known->second)};
  look.compares.push_back(holds_shard(shard_of(command.service)));
  submit(Look{QueuedCommand{id, command}, std::move(answer)}, std::move(look));
}

void Master::measure_store() {
  if (!may_command() || next_store_measure_ > now_.monotonic) return;
  next_store_measure_ = now_.monotonic + kMeasureStoreEvery;
  out_->push_back(MeasureStore{});
}

void Master::on(StoreMeasured const& event) {
  bool const was_short = is_short_of_room(store_size_);
  store_size_ = event;
  if (is_short_of_room(event) && !was_short) note(true, short_of_room(event));
  if (!is_short_of_room(event) && was_short) note(false, "the store has room again");
}

// While removals have room left to be written: a store that is full takes not even these.
Status Master::check_store(model::EventBody const& body) const {
  if (!is_short_of_room(store_size_) || std::holds_alternative<model::RemovalRequested>(body)) return {};
  return fail(Code::Full, short_of_room(store_size_));
}

// Of what a user asks for; what the owner decides by itself, as a rollback, is not refused.
Status Master::check_ports(std::string const& name, model::EventBody const& body) const {
  auto const* service = find_service(name);
  auto const uid = service ? service->head.uid : ServiceUid{};
  if (auto const* created = std::get_if<model::ServiceCreated>(&body)) return claims_.check(name, uid, *created->spec);
  if (auto const* changed = std::get_if<model::SpecChanged>(&body)) return claims_.check(name, uid, *changed->spec);
  if (auto const* back = std::get_if<model::RolledBack>(&body)) return claims_.check(name, uid, *back->spec);
  return {};
}

Result<model::Head> Master::dry_run(model::Command const& command, Wall now) const {
  auto const* service = find_service(command.service);
  auto const gone = view_.gone.find(command.service);
  TRY(auto decision,
      service::decide(service ? &service->head : nullptr, gone == view_.gone.end() ? nullptr : &gone->second.record, command));
  model::Head head = service ? service->head : model::Head{.name = command.service};
  if (!decision.event) return head;
  TRY_VOID(check_store(*decision.event));
  TRY_VOID(check_ports(command.service, *decision.event));
  return apply(head, {.number = head.events + 1, .time = now, .author = command.author, .body = *std::move(decision.event)});
}

void Master::append(Service& service, model::EventBody body, std::optional<QueuedCommand> command) {
  CHECK(!service.is_appending, "service {}", service.head.name);
  service.is_appending = true;
  auto const& before = service.head;
  Append append{.service = before.name};
  append.event = {.number = before.events + 1,
                  .time = now_.wall,
                  .author = command ? command->command.author : "davit",
                  .request_id = command ? command->command.request_id : std::string{},
                  .fingerprint = command ? command->command.fingerprint : 0,
                  .tag = fmt::format("{}.{}", session_->name, next_tag_++),
                  .body = std::move(body)};
  append.command = std::move(command);
  auto start = before;
  auto const gone = view_.gone.find(before.name);
  bool const was_there_before = before.events == 0 && gone != view_.gone.end();
  if (was_there_before) start.requests = gone->second.record.requests;
  append.head = apply(std::move(start), append.event);
  if (before.events == 0) append.head.uid = {view_.cluster.record.era, 0};

  Write write;
  write.compares = is_as_it_was(service);
  if (!planted(Bug::AppendsWithoutGrant)) write.compares.push_back(holds_shard(service.shard));
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
  if (was_there_before) write.erases.push_back(model::gone_key(before.name));
  if (planted(Bug::AnswersBeforeDurable) && append.command) reply(append.command->id, Applied{.generation = append.head.generation});
  submit(std::move(append), std::move(write));
}

// A write whose outcome was unknown is sent again, so one of its tries may come to the store late: when the service has been removed, or
// made anew and changed as often as before. The revision that wrote the head tells, and of a service that is not there the trace that a
// removal leaves. The key's version would not: it begins anew in a store that the service was copied to.
std::vector<Compare> Master::is_as_it_was(Service const& service) const {
  auto const& name = service.head.name;
  if (service.exists()) return {{model::head_key(name), Compare::Target::ModRevision, service.head_at}};
  auto const gone = view_.gone.find(name);
  return {{model::head_key(name), Compare::Target::Version, 0},
          {model::gone_key(name), Compare::Target::ModRevision, gone == view_.gone.end() ? 0 : gone->second.mod_revision}};
}

OpId Master::submit(PendingWrite what, Write write) {
  auto const op = write.op = next_op_++;
  out_->push_back(write);
  bool const is_waited_for = std::holds_alternative<Append>(what) || std::holds_alternative<Look>(what);
  auto const give_up_at = is_waited_for ? now_.monotonic + kStoreLimit : kNever;
  in_flight_.emplace(op, InFlight{.what = std::move(what), .write = std::move(write), .give_up_at = give_up_at});
  return op;
}

void Master::on(WriteDone const& event) {
  auto found = in_flight_.extract(event.op);
  CHECK(!found.empty(), "write {} is not in flight", event.op);
  auto& done = found.mapped();
  bool const is_duty = std::holds_alternative<DutyWrite>(done.what);
  bool const is_full = !event.outcome && event.outcome.error().code == Code::Full;
  if (is_full && !done.was_full) return ask_what_is_written(std::move(found), event.outcome.error());
  bool const is_unknown = !event.outcome && event.outcome.error().code == Code::UnknownOutcome;
  if (is_unknown && !is_duty && !planted(Bug::UnknownIsFailure) && !planted(Bug::UnknownIsSuccess)) {
    // The same again, until the outcome is known; not at once, for a store in trouble.
    done.was_unknown = true;
    done.retry_at = now_.monotonic + kUnknownRetry;
    in_flight_.insert(std::move(found));
    return;
  }
  auto const* append = std::get_if<Append>(&done.what);
  if (is_unknown && append && planted(Bug::UnknownIsSuccess)) return on_appended(*append, store_revision_);
  if (!event.outcome) {
    std::visit([&](auto const& what) { on_failed(what, done.was_full.value_or(event.outcome.error())); }, done.what);
    return;
  }
  auto const [succeeded, revision] = *event.outcome;
  if (succeeded && done.was_full) {
    std::visit([&](auto const& what) { on_failed(what, *done.was_full); }, done.what);
    return;
  }
  if (succeeded) {
    store_error_.reset();
    store_revision_ = std::max(store_revision_, revision);
  }
  if (append && succeeded) return on_appended(*append, revision);
  if (auto const* look = std::get_if<Look>(&done.what); look && succeeded) return on_applied(*look, revision);
  settling_.push_back({revision, std::move(done.what), succeeded});
  settle();
}

// A store may write what takes it over its quota, and say that it is full all the same; and what is refused at its door may be the second
// try of a write whose first one was carried out. After such a one the same is said until it is known. Else the compares alone tell.
void Master::ask_what_is_written(InFlights::node_type found, Error const& error) {
  auto& done = found.mapped();
  if (done.was_unknown) {
    done.retry_at = now_.monotonic + kUnknownRetry;
  } else {
    done.was_full = error;
    done.write.puts.clear();
    done.write.erases.clear();
    out_->push_back(done.write);
  }
  in_flight_.insert(std::move(found));
}

// Told at once, unlike all else: the user waits for it, and the next event may follow.
void Master::on_appended(Append const& append, std::int64_t revision) {
  auto& service = services_.at(append.service);
  service.is_appending = false;
  auto head = append.head;
  if (head.uid.revision == 0) head.uid.revision = revision;
  bool const was_seen = view_.revision >= revision;
  service.head_at = std::max(service.head_at, revision);
  if (append.command) {
    reply(
        append.command->id,
        Applied{.generation = head.generation, .revision = head.revision, .store_revision = revision, .created = append.event.number == 1});
  }
  if (!was_seen) {
    view_.gone.erase(append.service);
    install(service, std::move(head), &append.event);
  }
  if (service.exists()) plan_soon(service);  // what a plan wanted to journal meanwhile is still to be journalled
  next_command(service);
}

void Master::on_failed(Append const& append, Error const& error) {
  auto& service = services_.at(append.service);
  service.is_appending = false;
  if (append.command) reply(append.command->id, std::unexpected(error));
  else note(true, fmt::format("service {}: what was decided cannot be journalled: {}", append.service, error.message));
  if (service.exists()) plan_at(service, now_.monotonic + 1s);  // a decision may still have to be made
  next_command(service);
}

// The command is decided again, on what the journal says by now: its request id tells whether it was carried out already.
void Master::on_refused(Append const& append) {
  auto& service = services_.at(append.service);
  service.is_appending = false;
  if (append.command) {
    give_up_at_.erase(append.command->id);  // an earlier try may have been carried out: then that is the answer
    wait(append.command->id, append.command->command, kRequeue);
  }
  if (service.exists()) plan_at(service, now_.monotonic + kRequeue);
  next_command(service);
}

// A service whose creation failed, and that nobody else waits to create, is forgotten.
void Master::next_command(Service& service) {
  while (!service.is_appending && !service.queued.empty()) {
    auto next = std::move(service.queued.front());
    service.queued.pop_front();
    if (acts_for(service.shard)) carry_out(next.id, next.command);
    else wait(next.id, std::move(next.command), 0s);
  }
  if (service.exists() || service.is_appending) return;
  plan_at(service, kNever);
  touched_.erase(service.head.name);
  services_.erase(std::string(service.head.name));
}

void Master::on_applied(Look const& look, std::int64_t revision) {
  if (!look.asked) return;
  auto answer = look.answer;
  if (answer) answer->store_revision = std::max(answer->store_revision, revision);
  std::visit([&](auto const& asked) { reply(asked.id, std::move(answer)); }, *look.asked);
}

void Master::on_failed(Look const& look, Error const& error) {
  if (look.asked) std::visit([&](auto const& asked) { reply(asked.id, std::unexpected(error)); }, *look.asked);
}

void Master::on_refused(Look const& look) {
  if (look.asked) std::visit([&](auto const& asked) { wait(asked.id, asked.command, kRequeue); }, *look.asked);
}

// The last container is gone: so is the journal. What requests had been carried out stays for a while.
void Master::remove_records(Service& service) {
  service.is_appending = true;
  auto const& head = service.head;
  Removal removal{head.name, {head.name, head.uid, now_.wall, head.requests}};
  if (planted(Bug::RemovalForgetsRequests)) removal.gone.requests.clear();
  Write write;
  write.compares = is_as_it_was(service);
  write.compares.push_back(holds_shard(service.shard));
  write.puts = {removal.gone};
  write.erases = {model::head_key(head.name)};
  for (auto const& [revision, record] : head.revisions) write.erases.push_back(model::spec_key(head.name, revision));
  auto const first_event = head.events > model::kEventsKept ? head.events - model::kEventsKept + 1 : 1;
  for (auto number = first_event; number <= head.events; ++number) write.erases.push_back(model::event_key(head.name, number));
  submit(std::move(removal), std::move(write));
}

// The view has shown the removal, and the service is forgotten; if not, it is another one of that name.
void Master::on_applied(Removal const& removal, std::int64_t) { on_refused(removal); }

void Master::on_failed(Removal const& removal, Error const& error) {
  auto& service = services_.at(removal.service);
  service.is_appending = false;
  note(true, fmt::format("service {} cannot be removed from the store: {}", removal.service, error.message));
  plan_at(service, now_.monotonic + 1s);
  next_command(service);
}

void Master::on_refused(Removal const& removal) {
  auto& service = services_.at(removal.service);
  service.is_appending = false;
  if (service.exists()) plan_at(service, now_.monotonic + kRequeue);
  next_command(service);
}

void Master::on_applied(DutyWrite const& write, std::int64_t revision) {
  duties_[static_cast<std::size_t>(write.duty)].is_busy = false;
  if (write.command) reply(write.command->id, Applied{.store_revision = revision});
  maintenance_due_ = true;
}

void Master::on_failed(DutyWrite const& write, Error const& error) {
  auto& state = duties_[static_cast<std::size_t>(write.duty)];
  state.is_busy = false;
  state.retry_at = now_.monotonic + kDutyRetry;
  if (write.command) reply(write.command->id, std::unexpected(error));
  if (write.duty == Duty::Membership) store_error_ = error;
  note(true, fmt::format("the store does not take this master's own keys: {}; trying again", error.message));
}

void Master::on_refused(DutyWrite const& write) {
  auto& state = duties_[static_cast<std::size_t>(write.duty)];
  state.is_busy = false;
  state.retry_at = now_.monotonic + kRequeue;
  if (write.command) wait(write.command->id, write.command->command, kRequeue);  // it says what should be, whatever others have changed
  maintenance_due_ = true;
}

// What was decided is told once the view shows it, and decided anew where it was refused: another one wrote, or an earlier try of the
// same write came through. A removal waits too, because a watch that lags has earlier heads of that name still to show.
void Master::settle() {
  while (true) {
    auto const ripe = std::ranges::find_if(settling_, [&](Settling const& each) { return each.revision <= view_.revision; });
    if (ripe == settling_.end()) return;
    auto const done = std::move(*ripe);
    settling_.erase(ripe);
    std::visit([&](auto const& what) { done.was_applied ? on_applied(what, done.revision) : on_refused(what); }, done.what);
  }
}

void Master::give_up(Look& look) {
  if (look.asked) on_failed(look, {Code::Unavailable, "the store does not answer; nothing was changed: ask again in a moment", {}});
  look.asked.reset();
}

// Whoever waits for it, or behind it: it is written all the same, or refused, some time.
void Master::give_up(Append& append) {
  if (auto const command = std::exchange(append.command, std::nullopt))
    reply(command->id, fail(Code::UnknownOutcome, std::string(kStoreSilent)));
  for (auto const& next : std::exchange(services_.at(append.service).queued, {}))
    reply(next.id, fail(Code::Unavailable, "the store does not say whether the service's last change is written; ask again in a moment"));
}

void Master::retry_unknown() {
  for (auto& [op, in_flight] : in_flight_) {
    if (in_flight.give_up_at <= now_.monotonic) {
      in_flight.give_up_at = now_.monotonic + kStoreStillSilent;
      if (auto* look = std::get_if<Look>(&in_flight.what)) give_up(*look);
      else give_up(std::get<Append>(in_flight.what));
    }
    if (in_flight.retry_at > now_.monotonic) continue;
    in_flight.retry_at = kNever;
    out_->push_back(in_flight.write);
  }
}

}  // namespace davit::master
