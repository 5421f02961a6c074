#include "sim/memory_kv.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr std::size_t kMaxOperations = 128;  // etcd's default limit, for compares and for operations

std::string const& key_of(ports::Operation const& operation) {
  return std::visit([](auto const& op) -> std::string const& { return op.key; }, operation);
}

Status check_shape(ports::Commit const& commit) {
  if (commit.operations.size() > kMaxOperations || commit.compares.size() > kMaxOperations)
    return fail(Code::Invalid, fmt::format("a commit has at most {} compares and {} operations", kMaxOperations, kMaxOperations));
  std::set<std::string_view> seen;
  for (auto const& operation : commit.operations) {
    auto const& key = key_of(operation);
    if (key.empty()) return fail(Code::Invalid, "a key must not be empty");
    if (!seen.insert(key).second) return fail(Code::Invalid, fmt::format("the key {} occurs twice in one commit", key));
  }
  for (auto const& compare : commit.compares)
    if (compare.key.empty()) return fail(Code::Invalid, "a key must not be empty");
  return {};
}

std::int64_t bytes_of(ports::KeyValue const& item) { return static_cast<std::int64_t>(item.key.size() + item.value.size()); }

}  // namespace

ports::KeyValue const* MemoryKv::find(std::string const& key) const {
  auto const found = keys_.find(key);
  if (found == keys_.end() || !found->second.back().item) return nullptr;
  return &*found->second.back().item;
}

bool MemoryKv::holds(ports::Compare const& compare) const {
  auto const* item = find(compare.key);
  if (!item) return compare.value == 0;
  switch (compare.target) {
    case ports::Compare::Target::Version: return item->version == compare.value;
    case ports::Compare::Target::CreateRevision: return item->create_revision == compare.value;
    case ports::Compare::Target::ModRevision: return item->mod_revision == compare.value;
  }
  return false;
}

Status MemoryKv::check_space(ports::Commit const& commit) const {
  if (quota_bytes_ == 0) return {};
  std::int64_t growth = 0;
  for (auto const& operation : commit.operations)
    if (auto const* put = std::get_if<ports::Put>(&operation)) growth += static_cast<std::int64_t>(put->key.size() + put->value.size());
  if (growth > 0 && size_bytes_ + growth > quota_bytes_)
    return fail(Code::Full, fmt::format("the store's quota of {} bytes is reached: remove what is not needed", quota_bytes_));
  return {};
}

Result<ports::Committed> MemoryKv::commit(ports::Commit const& commit) {
  TRY_VOID(check_shape(commit));
  if (full_ && !commit.operations.empty()) return fail(Code::Full, "no space left in the store: free some space; running services go on");
  for (auto const& operation : commit.operations)
    if (auto const* put = std::get_if<ports::Put>(&operation); put && put->lease != 0 && !leases_.contains(put->lease))
      return fail(Code::NotFound, fmt::format("the lease {} has ended", put->lease));
  if (!std::ranges::all_of(commit.compares, [this](auto const& compare) { return holds(compare); }))
    return ports::Committed{.succeeded = false, .revision = revision_};
  TRY_VOID(check_space(commit));

  std::int64_t const revision = revision_ + 1;
  for (auto const& operation : commit.operations) std::visit([&](auto const& op) { apply(op, revision); }, operation);
  publish(revision);
  return ports::Committed{.succeeded = true, .revision = revision_};
}

void MemoryKv::apply(ports::Put const& put, std::int64_t revision) {
  auto const* before = find(put.key);
  ports::KeyValue item{.key = put.key,
                       .value = put.value,
                       .create_revision = before ? before->create_revision : revision,
                       .mod_revision = revision,
                       .version = before ? before->version + 1 : 1,
                       .lease = put.lease};
  detach(before);
  if (put.lease != 0) leases_.at(put.lease).keys.insert(put.key);
  changes_[revision].push_back(ports::KeyPut{item});
  record(put.key, revision, std::move(item));
}

void MemoryKv::apply(ports::Erase const& erase, std::int64_t revision) {
  auto const* before = find(erase.key);
  if (!before) return;
  detach(before);
  changes_[revision].push_back(ports::KeyErased{.key = erase.key, .mod_revision = revision});
  record(erase.key, revision, std::nullopt);
}

void MemoryKv::record(std::string const& key, std::int64_t revision, std::optional<ports::KeyValue> item) {
  if (item) size_bytes_ += bytes_of(*item);
  keys_[key].push_back({.revision = revision, .item = std::move(item)});
}

void MemoryKv::detach(ports::KeyValue const* item) {
  if (item && item->lease != 0) leases_.at(item->lease).keys.erase(item->key);
}

// A commit that changed nothing makes no revision.
void MemoryKv::publish(std::int64_t revision) {
  if (!changes_.contains(revision)) return;
  revision_ = revision;
  for (auto const& [id, changed] : subscribers_) changed();
}

Result<ports::RangeResult> MemoryKv::range(ports::Range const& range) const {
  std::int64_t const at = range.revision == 0 ? revision_ : range.revision;
  if (at > revision_) return fail(Code::Invalid, fmt::format("revision {} is in the future: the store is at {}", at, revision_));
  if (at < oldest_revision_) return fail(Code::Stale, fmt::format("revision {} is compacted: read the present one", at));
  ports::RangeResult result{.items = {}, .more = false, .revision = at};
  for (auto key = keys_.lower_bound(range.prefix); key != keys_.end() && key->first.starts_with(range.prefix); ++key) {
    if (key->first <= range.after && !range.after.empty()) continue;
    auto const& versions = key->second;
    auto const later = std::ranges::upper_bound(versions, at, {}, &Version::revision);
    if (later == versions.begin() || !std::prev(later)->item) continue;
    if (range.limit > 0 && static_cast<std::int64_t>(result.items.size()) == range.limit) {
      result.more = true;
      break;
    }
    result.items.push_back(*std::prev(later)->item);
  }
  return result;
}

ports::LeaseGranted MemoryKv::grant_lease(Duration ttl) {
  std::int64_t const id = ++last_lease_;
  auto& lease = leases_[id];
  lease = Lease{.ttl = ttl, .timer = loop_.make_timer(), .keys = {}};
  keep_lease(id);
  return {.lease = id, .ttl = ttl};
}

Result<ports::LeaseGranted> MemoryKv::renew_lease(std::int64_t lease) {
  auto const found = leases_.find(lease);
  if (found == leases_.end()) return fail(Code::NotFound, fmt::format("the lease {} has ended", lease));
  keep_lease(lease);
  return ports::LeaseGranted{.lease = lease, .ttl = found->second.ttl};
}

void MemoryKv::keep_lease(std::int64_t lease) {
  auto& kept = leases_.at(lease);
  if (leases_held_) kept.timer->cancel();
  else kept.timer->set(loop_.now().monotonic + kept.ttl, [this, lease] { end_lease(lease); });
}

void MemoryKv::hold_leases(bool held) {
  leases_held_ = held;
  for (auto const& [id, lease] : leases_) keep_lease(id);
}

std::vector<std::int64_t> MemoryKv::leases() const {
  std::vector<std::int64_t> ids;
  for (auto const& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

Status MemoryKv::revoke_lease(std::int64_t lease) {
  if (!leases_.contains(lease)) return fail(Code::NotFound, fmt::format("the lease {} has ended", lease));
  end_lease(lease);
  return {};
}

void MemoryKv::end_lease(std::int64_t lease) {
  std::int64_t const revision = revision_ + 1;
  auto const keys = leases_.at(lease).keys;
  for (auto const& key : keys) apply(ports::Erase{key}, revision);
  leases_.erase(lease);
  publish(revision);
}

Status MemoryKv::compact(std::int64_t before_revision) {
  if (before_revision > revision_)
    return fail(Code::Invalid, fmt::format("revision {} is in the future: the store is at {}", before_revision, revision_));
  if (before_revision <= oldest_revision_) return {};
  oldest_revision_ = before_revision;
  changes_.erase(changes_.begin(), changes_.lower_bound(before_revision));
  for (auto key = keys_.begin(); key != keys_.end();) {
    // The last version at or before this revision is still read at it, unless it says "erased".
    auto& versions = key->second;
    auto kept = std::ranges::upper_bound(versions, before_revision, {}, &Version::revision);
    if (kept != versions.begin() && std::prev(kept)->item) --kept;
    for (auto lost = versions.begin(); lost != kept; ++lost)
      if (lost->item) size_bytes_ -= bytes_of(*lost->item);
    versions.erase(versions.begin(), kept);
    key = versions.empty() ? keys_.erase(key) : std::next(key);
  }
  return {};
}

ports::StoreStatus MemoryKv::status() const { return {.revision = revision_, .size_bytes = size_bytes_, .quota_bytes = quota_bytes_}; }

std::vector<ports::WatchBatch> MemoryKv::changes(std::string const& prefix, std::int64_t from) const {
  std::vector<ports::WatchBatch> batches;
  for (auto revision = changes_.lower_bound(from); revision != changes_.end(); ++revision) {
    ports::WatchBatch batch{.revision = revision->first, .compacted = false, .changes = {}};
    for (auto const& change : revision->second) {
      auto const* put = std::get_if<ports::KeyPut>(&change);
      auto const& key = put ? put->item.key : std::get<ports::KeyErased>(change).key;
      if (key.starts_with(prefix)) batch.changes.push_back(change);
    }
    if (!batch.changes.empty()) batches.push_back(std::move(batch));
  }
  return batches;
}

std::uint64_t MemoryKv::subscribe(std::function<void()> changed) {
  subscribers_.emplace(++last_subscription_, std::move(changed));
  return last_subscription_;
}

}  // namespace davit::sim
