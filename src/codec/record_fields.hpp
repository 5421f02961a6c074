// The field tables of what the store and an agent's state file hold. Names are durable: they stand in stores and golden files.
#pragma once

#include "model/agent_state.hpp"
#include "model/field.hpp"
#include "model/records.hpp"

namespace davit::model {

inline constexpr Meta kRequired{.doc = {}, .required = true};
inline constexpr Meta kOptional{.doc = {}};

#define DAVIT_RECORD(S, ...)                              \
  template <>                                             \
  struct Fields<S> {                                      \
    static constexpr std::string_view kName = #S;         \
    static constexpr bool kStored = true;                 \
    static constexpr auto kAll = std::tuple{__VA_ARGS__}; \
  }

DAVIT_RECORD(ClusterRecord, field("format", &ClusterRecord::format, kRequired), field("uid", &ClusterRecord::uid, kRequired),
             field("era", &ClusterRecord::era, kRequired));

DAVIT_RECORD(ShardRecord, field("shard", &ShardRecord::shard, kRequired), field("session", &ShardRecord::session, kRequired));

DAVIT_RECORD(NodeRecord, field("id", &NodeRecord::id, kRequired), field("name", &NodeRecord::name, kRequired),
             field("roles", &NodeRecord::roles, kOptional), field("labels", &NodeRecord::labels, kOptional),
             field("availability", &NodeRecord::availability, kRequired), field("status", &NodeRecord::status, kRequired),
             field("incarnation", &NodeRecord::incarnation, kRequired));

DAVIT_RECORD(MasterRecord, field("id", &MasterRecord::id, kRequired), field("session", &MasterRecord::session, kRequired),
             field("name", &MasterRecord::name, kOptional), field("address", &MasterRecord::address, kOptional),
             field("is_ready", &MasterRecord::is_ready, kRequired), field("is_leaving", &MasterRecord::is_leaving, kOptional),
             field("knows", &MasterRecord::knows, kRequired));
DAVIT_RECORD(CoordinatorRecord, field("master", &CoordinatorRecord::master, kRequired),
             field("session", &CoordinatorRecord::session, kRequired));
DAVIT_RECORD(NodeLife, field("node", &NodeLife::node, kRequired), field("incarnation", &NodeLife::incarnation, kRequired));
DAVIT_RECORD(SuspectsRecord, field("round", &SuspectsRecord::round, kRequired), field("nodes", &SuspectsRecord::nodes, kOptional),
             field("hold", &SuspectsRecord::hold, kOptional));
DAVIT_RECORD(SeenRecord, field("master", &SeenRecord::master, kRequired), field("session", &SeenRecord::session, kRequired),
             field("round", &SeenRecord::round, kRequired), field("counts", &SeenRecord::counts, kRequired),
             field("heard", &SeenRecord::heard, kOptional), field("unknown", &SeenRecord::unknown, kOptional));

DAVIT_RECORD(Rollout, field("state", &Rollout::state, kRequired), field("from", &Rollout::from, kOptional),
             field("to", &Rollout::to, kOptional), field("is_rollback", &Rollout::is_rollback, kOptional),
             field("is_automatic", &Rollout::is_automatic, kOptional), field("reason", &Rollout::reason, kOptional),
             field("message", &Rollout::message, kOptional), field("since", &Rollout::since, kOptional));

DAVIT_RECORD(RequestMemo, field("id", &RequestMemo::id, kRequired), field("fingerprint", &RequestMemo::fingerprint, kRequired),
             field("generation", &RequestMemo::generation, kRequired), field("at", &RequestMemo::at, kRequired));

DAVIT_RECORD(Head, field("name", &Head::name, kRequired), field("uid", &Head::uid, kRequired), field("events", &Head::events, kRequired),
             field("tag", &Head::tag, kRequired), field("generation", &Head::generation, kRequired),
             field("revision", &Head::revision, kRequired), field("last_revision", &Head::last_revision, kRequired),
             field("removing", &Head::removing, kOptional), field("revisions", &Head::revisions, kRequired),
             field("revision_before", &Head::revision_before, kOptional), field("rollout", &Head::rollout, kOptional),
             field("created_at", &Head::created_at, kRequired), field("updated_at", &Head::updated_at, kRequired),
             field("requests", &Head::requests, kOptional));

DAVIT_RECORD(RevisionRecord, field("spec", &RevisionRecord::spec, kRequired), field("digest", &RevisionRecord::digest, kOptional),
             field("created_at", &RevisionRecord::created_at, kRequired));
DAVIT_RECORD(SpecRecord, field("service", &SpecRecord::service, kRequired), field("revision", &SpecRecord::revision, kRequired),
             field("content", &SpecRecord::content, kRequired));

DAVIT_RECORD(GoneRecord, field("service", &GoneRecord::service, kRequired), field("uid", &GoneRecord::uid, kRequired),
             field("at", &GoneRecord::at, kRequired), field("requests", &GoneRecord::requests, kOptional));

DAVIT_RECORD(SlotRecord, field("service", &SlotRecord::service, kRequired), field("slot", &SlotRecord::slot, kRequired),
             field("instance", &SlotRecord::instance, kRequired), field("revision", &SlotRecord::revision, kRequired),
             field("node", &SlotRecord::node, kRequired), field("incarnation", &SlotRecord::incarnation, kRequired),
             field("token", &SlotRecord::token, kRequired), field("stop_after", &SlotRecord::stop_after, kRequired));

DAVIT_RECORD(ServiceCreated, field("spec", &ServiceCreated::spec, kRequired));
DAVIT_RECORD(SpecChanged, field("spec", &SpecChanged::spec, kRequired), field("replaces", &SpecChanged::replaces, kRequired));
DAVIT_RECORD(ServiceRestarted);
DAVIT_RECORD(RolledBack, field("to_revision", &RolledBack::to_revision, kRequired), field("spec", &RolledBack::spec, kRequired),
             field("is_automatic", &RolledBack::is_automatic, kOptional), field("reason", &RolledBack::reason, kOptional),
             field("message", &RolledBack::message, kOptional));
DAVIT_RECORD(RolloutCompleted, field("is_partial", &RolloutCompleted::is_partial, kOptional),
             field("reason", &RolloutCompleted::reason, kOptional), field("message", &RolloutCompleted::message, kOptional));
DAVIT_RECORD(RolloutStopped, field("reason", &RolloutStopped::reason, kRequired), field("message", &RolloutStopped::message, kOptional));
DAVIT_RECORD(ImageResolved, field("revision", &ImageResolved::revision, kRequired), field("digest", &ImageResolved::digest, kRequired));
DAVIT_RECORD(RemovalRequested);
DAVIT_RECORD(RolloutPaused);
DAVIT_RECORD(RolloutResumed);

DAVIT_RECORD(JournalEvent, field("number", &JournalEvent::number, kRequired), field("time", &JournalEvent::time, kRequired),
             field("author", &JournalEvent::author, kOptional), field("request_id", &JournalEvent::request_id, kOptional),
             field("fingerprint", &JournalEvent::fingerprint, kOptional), field("tag", &JournalEvent::tag, kRequired),
             field("body", &JournalEvent::body, kRequired));
DAVIT_RECORD(EventRecord, field("service", &EventRecord::service, kRequired), field("event", &EventRecord::event, kRequired));

DAVIT_RECORD(SlotClaim, field("uid", &SlotClaim::uid, kRequired), field("slot", &SlotClaim::slot, kRequired),
             field("token", &SlotClaim::token, kRequired), field("incarnation", &SlotClaim::incarnation, kRequired),
             field("is_refused", &SlotClaim::is_refused, kRequired), field("stop_after", &SlotClaim::stop_after, kRequired));

#undef DAVIT_RECORD

}  // namespace davit::model
