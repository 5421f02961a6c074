// From a fresh process to an acting master: read the store, claim the shards, and only then act.
#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {
constexpr Duration kBootRetry = 1s;
constexpr std::size_t kShardsPerWrite = 64;  // etcd takes 128 operations in one transaction
}  // namespace

void Master::on(Started const&) { out_->push_back(Load{next_op_++}); }

void Master::on(Loaded const& event) {
  if (phase_ != Phase::Loading) {
    if (event.outcome) settle_unknown(event.op, *event.outcome);
    else in_flight_.at(event.op).retry_at = now_.monotonic + kBootRetry;
    return;
  }
  if (!event.outcome) {
    out_->push_back(Noted{true, fmt::format("the store cannot be read: {}; trying again", event.outcome.error().message)});
    retry_boot_at_ = now_.monotonic + kBootRetry;
    return;
  }
  take_over(*event.outcome);
}

void Master::take_over(StoreImage image) {
  store_revision_ = image.revision;
  mod_revisions_ = std::move(image.mod_revisions);
  for (auto& record : image.nodes) {
    auto& node = nodes_[static_cast<std::size_t>(index_of(record.id))];
    node.record = std::move(record);
    node.is_recorded = true;
    if (node.is_connected) continue;  // its hello was faster than the store, and says more
    node.facts.name = node.record.name;
    node.facts.roles = node.record.roles;
  }
  for (auto& gone : image.gone) gone_[gone.service] = std::move(gone);
  for (auto& head : image.heads) {
    names_[head.uid] = head.name;
    auto& service = services_[head.name];
    service.head = std::move(head);
    touch(service);
  }
  phase_ = Phase::Claiming;
  if (image.cluster) {
    cluster_ = std::move(image.cluster);
    claim_shards();
    return;
  }
  Write write{.compares = {{model::cluster_key(), Compare::Target::Version, 0}},
              .puts = {model::ClusterRecord{.uid = options_.new_cluster}}};
  submit(ClusterWrite{}, std::move(write));
}

void Master::claim_shards() {
  for (std::size_t first = 0; first < kShards; first += kShardsPerWrite) {
    ShardClaim claim;
    Write write;
    for (std::size_t i = first; i < first + kShardsPerWrite; ++i) {
      ShardId const shard{static_cast<std::uint16_t>(i)};
      if (epochs_.contains(shard.value) || claiming_.contains(shard.value)) continue;
      claiming_.insert(shard.value);
      claim.shards.push_back(shard);
      write.compares.push_back({model::shard_key(shard), Compare::Target::ModRevision, mod_revisions_[model::shard_key(shard)]});
      write.puts.push_back(model::ShardRecord{shard, options_.session});
    }
    if (!claim.shards.empty()) submit(std::move(claim), std::move(write));
  }
}

void Master::on_written(ClusterWrite const&, Written const& written) {
  if (!written.succeeded) return become_fenced();
  cluster_ = model::ClusterRecord{.uid = options_.new_cluster};
  claim_shards();
}

void Master::on_written(ShardClaim const& claim, Written const& written) {
  if (!written.succeeded) return become_fenced();
  for (auto const shard : claim.shards) {
    claiming_.erase(shard.value);
    epochs_[shard.value] = {cluster_->era, written.revision};
  }
  if (epochs_.size() < kShards) return;
  phase_ = Phase::Active;
  out_->push_back(Noted{false, fmt::format("acting for {} services", services_.size())});
  forget_old_requests();
  for (auto& node : nodes_) {
    if (node.is_connected) welcome(node);
  }
  plan_all_soon();
}

// What was left of removed services has been kept long enough for every retry.
void Master::forget_old_requests() {
  Write write;
  for (auto it = gone_.begin(); it != gone_.end() && write.erases.size() < kShardsPerWrite;) {
    bool const is_old = it->second.at + model::kRequestsKeptFor < now_.wall;
    if (is_old) write.erases.push_back(model::gone_key(it->first));
    it = is_old ? gone_.erase(it) : std::next(it);
  }
  if (!write.erases.empty()) submit(GoneErasure{}, std::move(write));
}

void Master::on_written(NodeWrite const& write, Written const& written) {
  if (!written.succeeded) return become_fenced();
  auto& node = nodes_[static_cast<std::size_t>(index_of(write.node))];
  mod_revisions_[model::node_key(write.node)] = written.revision;
  node.is_being_recorded = false;
  record(node);  // it may have changed since
}

// Until the store takes writes again, this master reads and answers but does not act.
void Master::on_write_failed(ClusterWrite const&, Error const& error) {
  boot_error_ = error;
  out_->push_back(Noted{true, fmt::format("the cluster cannot be set up: {}; trying again", error.message)});
  retry_boot_at_ = now_.monotonic + kBootRetry;
}
void Master::on_write_failed(ShardClaim const& claim, Error const& error) {
  for (auto const shard : claim.shards) claiming_.erase(shard.value);
  boot_error_ = error;
  out_->push_back(Noted{true, fmt::format("the shards cannot be claimed: {}; trying again", error.message)});
  retry_boot_at_ = now_.monotonic + kBootRetry;
}
void Master::on_write_failed(NodeWrite const& write, Error const& error) {
  out_->push_back(Noted{true, fmt::format("node {} cannot be recorded: {}; trying again", to_string(write.node), error.message)});
  auto& node = nodes_[static_cast<std::size_t>(index_of(write.node))];
  node.is_being_recorded = node.is_recorded = false;
  retry_boot_at_ = now_.monotonic + kBootRetry;
}

void Master::on_written(GoneErasure const&, Written const&) { forget_old_requests(); }  // there may be more
void Master::on_write_failed(GoneErasure const&, Error const&) {}  // the next start tries again

void Master::become_fenced() {
  if (phase_ == Phase::Fenced) return;
  phase_ = Phase::Fenced;
  out_->push_back(Noted{true, "another master has taken over this one's shards; it acts no more"});
}

}  // namespace davit::master
