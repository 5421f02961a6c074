#include "drivers/master_driver.hpp"

#include "codec/records.hpp"
#include "drivers/store_batch.hpp"
#include "model/records.hpp"

namespace davit::drivers {
namespace {

constexpr Duration kStoreLimit = 10s;

ports::Compare::Target to_port(master::Compare::Target target) {
  switch (target) {
    case master::Compare::Target::Version: return ports::Compare::Target::Version;
    case master::Compare::Target::CreateRevision: return ports::Compare::Target::CreateRevision;
    case master::Compare::Target::ModRevision: return ports::Compare::Target::ModRevision;
  }
  return {};
}

}  // namespace

MasterDriver::MasterDriver(Ports ports, master::Options options, Listeners listeners)
    : ports_(ports),
      listeners_(std::move(listeners)),
      master_(std::move(options)),
      inbox_(ports.loop, master_, [this](master::Actions& actions) { perform(actions); }) {}

void MasterDriver::start() {
  ports_.agents.receive(
      {.on_joined = [](NodeId) {},  // its hello says more
       .on_message = [this](NodeId node, model::ToMaster message) { inbox_.post(master::FromAgent{node, std::move(message)}); },
       .on_left = [this](NodeId node) { inbox_.post(master::AgentLeft{node}); },
       .on_dropped = [this](NodeId node) { inbox_.post(master::DroppedForAgent{node}); }});
  ports_.peers.receive(
      {.on_joined = [this](NodeId peer) { inbox_.post(master::PeerJoined{peer}); },
       .on_message = [this](NodeId peer, model::PeerMessage message) { inbox_.post(master::FromPeer{peer, std::move(message)}); },
       .on_left = [this](NodeId peer) { inbox_.post(master::PeerLeft{peer}); },
       .on_dropped = [this](NodeId peer) { inbox_.post(master::DroppedForPeer{peer}); }});
  inbox_.post(master::Started{});
}

void MasterDriver::stop() {
  inbox_.stop();
  watch_.reset();
}

void MasterDriver::leave(std::function<void()> on_left) {
  on_left_ = std::move(on_left);
  inbox_.post(master::Leave{});
}

void MasterDriver::command(model::Command command, ports::Done<master::Applied> done) {
  auto const id = next_command_++;
  replies_[id] = std::move(done);
  inbox_.post(master::CommandArrived{id, std::move(command)});
}

void MasterDriver::node_command(model::NodeCommand command, ports::Done<master::Applied> done) {
  auto const id = next_command_++;
  replies_[id] = std::move(done);
  inbox_.post(master::NodeCommandArrived{id, std::move(command)});
}

void MasterDriver::read_history(std::string const& service, ports::Done<std::vector<model::JournalEvent>> done) {
  ports_.store.range({.prefix = model::service_prefix(service) + "events/"}, ports_.loop.now().monotonic + kStoreLimit,
                     [done = std::move(done)](Result<ports::RangeResult> page) {
                       if (!page) return done(std::unexpected(page.error()));
                       std::vector<model::JournalEvent> events;
                       for (auto const& item : page->items) {
                         auto record = codec::decode_record(item.key, item.value);
                         if (!record) return done(std::unexpected(record.error()));
                         if (auto* event = std::get_if<model::EventRecord>(&*record)) events.push_back(std::move(event->event));
                       }
                       done(std::move(events));
                     });
}

void MasterDriver::perform(master::Actions& actions) {
  for (auto& action : actions) std::visit([this](auto& each) { perform(each); }, action);
}

void MasterDriver::perform(master::Load&) {
  watch_.reset();
  read_store(ports_.loop, ports_.store, [this](Result<master::StoreBatch> all) { inbox_.post(master::Loaded{std::move(all)}); });
}

void MasterDriver::perform(master::Follow& action) {
  watch_ = ports_.store.watch(std::string(model::kRoot), action.from, [this](ports::WatchBatch const& batch) { on_batch(batch); });
}

void MasterDriver::on_batch(ports::WatchBatch const& batch) {
  if (batch.compacted) return inbox_.post(master::WatchEnded{"the changes were compacted away before they were seen"});
  auto decoded = decode_batch(batch);
  if (decoded) inbox_.post(master::StoreChanged{*std::move(decoded)});
  else inbox_.post(master::WatchEnded{decoded.error().message});
}

void MasterDriver::perform(master::GrantLease& action) {
  ports_.store.grant_lease(action.ttl, ports_.loop.now().monotonic + kStoreLimit,
                           [this, op = action.op](Result<ports::LeaseGranted> lease) { on_lease(op, lease); });
}

void MasterDriver::perform(master::RenewLease& action) {
  ports_.store.renew_lease(action.lease, action.deadline,
                           [this, op = action.op](Result<ports::LeaseGranted> lease) { on_lease(op, lease); });
}

void MasterDriver::perform(master::RevokeLease& action) {
  ports_.store.revoke_lease(action.lease, action.deadline, [this, op = action.op, lease = action.lease](Status outcome) {
    if (outcome) inbox_.post(master::LeaseDone{op, master::Granted{lease, {}}});
    else inbox_.post(master::LeaseDone{op, std::unexpected(outcome.error())});
  });
}

void MasterDriver::on_lease(master::OpId op, Result<ports::LeaseGranted> const& lease) {
  if (lease) inbox_.post(master::LeaseDone{op, master::Granted{lease->lease, lease->ttl}});
  else inbox_.post(master::LeaseDone{op, std::unexpected(lease.error())});
}

void MasterDriver::perform(master::ReadRevision& action) {
  ports_.store.range({.prefix = model::cluster_key(), .limit = 1}, action.deadline,
                     [this, op = action.op](Result<ports::RangeResult> page) {
                       if (page) inbox_.post(master::RevisionRead{op, page->revision});
                       else inbox_.post(master::RevisionRead{op, std::unexpected(page.error())});
                     });
}

void MasterDriver::perform(master::Write& action) {
  ports::Commit commit;
  for (auto& compare : action.compares) commit.compares.push_back({std::move(compare.key), to_port(compare.target), compare.value});
  for (auto const& record : action.puts) {
    commit.operations.push_back(ports::Put{model::key_of(record), codec::encode_record(record), action.lease});
  }
  for (auto& key : action.erases) commit.operations.push_back(ports::Erase{std::move(key)});
  ports_.store.commit(std::move(commit), ports_.loop.now().monotonic + kStoreLimit,
                      [this, op = action.op](Result<ports::Committed> committed) {
                        if (committed) inbox_.post(master::WriteDone{op, master::Written{committed->succeeded, committed->revision}});
                        else inbox_.post(master::WriteDone{op, std::unexpected(committed.error())});
                      });
}

void MasterDriver::perform(master::Compact& action) {
  ports_.store.compact(action.before_revision, ports_.loop.now().monotonic + kStoreLimit, [](Status) {});
}

void MasterDriver::perform(master::MeasureStore&) {
  ports_.store.status(ports_.loop.now().monotonic + kStoreLimit, [this](Result<ports::StoreStatus> status) {
    if (status) inbox_.post(master::StoreMeasured{status->size_bytes, status->quota_bytes});
  });
}

void MasterDriver::perform(master::Send& action) { ports_.agents.send(action.node, std::move(action.message), action.valid_until); }

void MasterDriver::perform(master::SendPeer& action) { ports_.peers.send(action.master, std::move(action.message), action.valid_until); }

void MasterDriver::perform(master::KeepPeers& action) { ports_.peers.keep_connected(std::move(action.masters)); }

void MasterDriver::perform(master::Reply& action) {
  auto const reply = replies_.extract(action.id);
  if (reply) reply.mapped()(std::move(action.outcome));
}

void MasterDriver::perform(master::Left&) {
  if (auto const on_left = std::exchange(on_left_, nullptr)) on_left();
}

void MasterDriver::perform(master::Changed& action) { listeners_.on_changed(action.what); }

void MasterDriver::perform(master::Noted& action) { listeners_.on_noted(action); }

}  // namespace davit::drivers
