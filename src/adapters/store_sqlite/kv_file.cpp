#include "adapters/store_sqlite/kv_file.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "adapters/store_sqlite/file_format.hpp"

namespace davit::store_sqlite {
namespace {

constexpr std::size_t kMaxOperations = 128;    // etcd's default limit, for compares and for operations
constexpr std::int64_t kLeasesPerLife = std::int64_t{1} << 32;

std::string const& key_of(ports::Operation const& operation) {
  return std::visit([](auto const& op) -> std::string const& { return op.key; }, operation);
}

std::unexpected<Error> lease_has_ended(std::int64_t lease) { return fail(Code::NotFound, fmt::format("the lease {} has ended", lease)); }

// Merges the rows of the present with what a later change has hidden, by key.
class PastRows {
 public:
  PastRows(Tables& tables, std::string const& start, History::Past past) : tables_(tables), past_(std::move(past)) {
    hidden_ = past_.lower_bound(start);
    tables_.scan(start);
  }
  PastRows(PastRows const&) = delete;
  PastRows& operator=(PastRows const&) = delete;
  ~PastRows() { tables_.end_scan(); }

  Result<std::optional<ports::KeyValue>> next() {
    for (;;) {
      if (!row_ && !at_end_) {
        TRY(row_, tables_.next_row());
        at_end_ = !row_;
      }
      if (hidden_ == past_.end() || (row_ && row_->key < hidden_->first)) return std::exchange(row_, std::nullopt);
      if (row_ && row_->key == hidden_->first) row_.reset();
      if (auto& item = (hidden_++)->second) return std::move(item);
    }
  }

 private:
  Tables& tables_;
  History::Past past_;
  History::Past::iterator hidden_;
  std::optional<ports::KeyValue> row_;
  bool at_end_ = false;
};

}  // namespace

KvFile::KvFile(std::filesystem::path file, Tables tables, std::int64_t revision, std::int64_t life, History::Limits limits)
    : file_(std::move(file)),
      tables_(std::move(tables)),
      revision_(revision),
      history_(revision + 1, limits),
      next_lease_(life * kLeasesPerLife) {}

Result<KvFile> KvFile::open(std::filesystem::path const& file, History::Limits limits) {
  TRY(auto const found, inspect(file, Depth::Quick));
  if (found == Found::Nothing) TRY_VOID(create(file));
  TRY(auto database, open_for_work(file));
  TRY(auto tables, Tables::open(std::move(database)));
  TRY(auto const revision, tables.revision());
  TRY_VOID(tables.begin());
  TRY(auto const life, tables.count_life());
  TRY_VOID(tables.commit());

  KvFile store(file, std::move(tables), revision, life, limits);
  TRY(auto const leased, store.tables_.leased_keys(0));
  TRY_VOID(store.erase_all(leased));
  return store;
}

Status KvFile::validate(ports::Commit const& commit) const {
  if (commit.operations.size() > kMaxOperations || commit.compares.size() > kMaxOperations)
    return fail(Code::Invalid, fmt::format("a commit has at most {} compares and {} operations", kMaxOperations, kMaxOperations));
  if (std::ranges::any_of(commit.compares, [](auto const& compare) { return compare.key.empty(); }))
    return fail(Code::Invalid, "a key must not be empty");
  std::set<std::string_view> seen;
  for (auto const& operation : commit.operations) {
    auto const& key = key_of(operation);
    if (key.empty()) return fail(Code::Invalid, "a key must not be empty");
    if (!seen.insert(key).second) return fail(Code::Invalid, fmt::format("the key {} occurs twice in one commit", key));
    auto const* put = std::get_if<ports::Put>(&operation);
    if (put && put->lease != 0 && !leases_.contains(put->lease)) return lease_has_ended(put->lease);
  }
  return {};
}

std::vector<Result<ports::Committed>> KvFile::commit(std::span<ports::Commit const> group) {
  std::vector<Result<ports::Committed>> answers;
  answers.reserve(group.size());
  auto draft = begin();
  Status state = draft ? Status{} : Status{std::unexpected(draft.error())};
  for (auto const& commit : group) {
    if (auto const valid = validate(commit); !valid) {
      answers.emplace_back(std::unexpected(valid.error()));
      continue;
    }
    Result<ports::Committed> answer = state ? apply(commit, *draft) : std::unexpected(state.error());
    if (state && !answer) state = std::unexpected(answer.error());
    answers.push_back(std::move(answer));
  }
  if (state) state = finish(std::move(*draft));
  if (state) return answers;

  // Nothing of the group holds; also a compare that failed may have failed because of a neighbour that is undone now.
  tables_.rollback();
  for (auto& answer : answers)
    if (answer) answer = std::unexpected(state.error());
  return answers;
}

Result<KvFile::Draft> KvFile::begin() {
  if (!is_revision_known_) TRY_VOID(read_revision_again());
  TRY_VOID(tables_.begin());
  return Draft{.revision = revision_, .changes = {}};
}

Status KvFile::finish(Draft draft) {
  if (draft.changes.empty()) {
    tables_.rollback();  // no flush for compares that failed
    return {};
  }
  TRY_VOID(tables_.set_revision(draft.revision));
  if (auto const durable = tables_.commit(); !durable) {
    is_revision_known_ = false;
    return durable;
  }
  revision_ = draft.revision;
  history_.append(std::move(draft.changes));
  return {};
}

// After an unknown outcome. Should the transaction be there after all, its changes are not in the history: watches start anew.
Status KvFile::read_revision_again() {
  TRY(auto const revision, tables_.revision());
  if (revision != revision_) history_.forget_before(revision + 1);
  revision_ = revision;
  is_revision_known_ = true;
  return {};
}

Result<ports::Committed> KvFile::apply(ports::Commit const& commit, Draft& draft) {
  for (auto const& compare : commit.compares) {
    TRY(bool const held, holds(compare));
    if (!held) return ports::Committed{.succeeded = false, .revision = draft.revision};
  }
  auto const changes_before = draft.changes.size();
  std::int64_t const revision = draft.revision + 1;
  for (auto const& operation : commit.operations)
    TRY_VOID(std::visit([&](auto const& op) { return apply(op, revision, draft); }, operation));
  // A commit that changed nothing makes no revision.
  if (draft.changes.size() != changes_before) draft.revision = revision;
  return ports::Committed{.succeeded = true, .revision = draft.revision};
}

Result<bool> KvFile::holds(ports::Compare const& compare) {
  TRY(auto const numbers, tables_.numbers(compare.key));
  switch (compare.target) {
    case ports::Compare::Target::Version: return numbers.version == compare.value;
    case ports::Compare::Target::CreateRevision: return numbers.create_revision == compare.value;
    case ports::Compare::Target::ModRevision: return numbers.mod_revision == compare.value;
  }
  return false;
}

Status KvFile::apply(ports::Put const& put, std::int64_t revision, Draft& draft) {
  TRY(auto before, tables_.get(put.key));
  ports::KeyValue item{.key = put.key,
                       .value = put.value,
                       .create_revision = before ? before->create_revision : revision,
                       .mod_revision = revision,
                       .version = before ? before->version + 1 : 1,
                       .lease = put.lease};
  TRY_VOID(tables_.put(item));
  draft.changes.push_back({.revision = revision, .before = std::move(before), .after = std::move(item)});
  return {};
}

Status KvFile::apply(ports::Erase const& erase, std::int64_t revision, Draft& draft) {
  TRY(auto before, tables_.get(erase.key));
  if (!before) return {};
  TRY_VOID(tables_.erase(erase.key));
  draft.changes.push_back({.revision = revision, .before = std::move(before), .after = std::nullopt});
  return {};
}

Status KvFile::erase_all(std::vector<std::string> const& keys) {
  TRY(auto draft, begin());
  std::int64_t const revision = draft.revision + 1;
  Status state;
  for (auto const& key : keys)
    if (state) state = apply(ports::Erase{key}, revision, draft);
  if (!draft.changes.empty()) draft.revision = revision;
  if (state) state = finish(std::move(draft));
  if (!state) tables_.rollback();
  return state;
}

Result<ports::RangeResult> KvFile::range(ports::Range const& range) {
  if (!is_revision_known_) TRY_VOID(read_revision_again());
  std::int64_t const at = range.revision == 0 ? revision_ : range.revision;
  if (at > revision_) return fail(Code::Invalid, fmt::format("revision {} is in the future: the store is at {}", at, revision_));
  if (!history_.can_read_at(at)) return fail(Code::Stale, fmt::format("revision {} is compacted: read the present one", at));

  ports::RangeResult result{.items = {}, .more = false, .revision = at};
  // The smallest key greater than `after` is `after` and a zero byte.
  std::string const start = range.after.empty() ? range.prefix : std::max(range.prefix, range.after + '\0');
  PastRows rows(tables_, start, history_.at(at));
  for (;;) {
    TRY(auto item, rows.next());
    if (!item || !item->key.starts_with(range.prefix)) return result;
    if (range.limit > 0 && static_cast<std::int64_t>(result.items.size()) == range.limit) {
      result.more = true;
      return result;
    }
    result.items.push_back(std::move(*item));
  }
}

Result<ports::LeaseGranted> KvFile::grant_lease(Duration ttl) {
  std::int64_t const lease = next_lease_++;
  leases_.emplace(lease, ttl);
  return ports::LeaseGranted{.lease = lease, .ttl = ttl};
}

Result<ports::LeaseGranted> KvFile::renew_lease(std::int64_t lease) const {
  auto const found = leases_.find(lease);
  if (found == leases_.end()) return lease_has_ended(lease);
  return ports::LeaseGranted{.lease = lease, .ttl = found->second};
}

Status KvFile::revoke_lease(std::int64_t lease) {
  if (!leases_.contains(lease)) return lease_has_ended(lease);
  TRY(auto const keys, tables_.leased_keys(lease));
  TRY_VOID(erase_all(keys));
  leases_.erase(lease);
  return {};
}

Status KvFile::compact(std::int64_t before_revision) {
  if (before_revision > revision_)
    return fail(Code::Invalid, fmt::format("revision {} is in the future: the store is at {}", before_revision, revision_));
  history_.forget_before(before_revision);
  return {};
}

ports::StoreStatus KvFile::status() const {
  std::int64_t bytes = 0;
  for (auto const& part : {file_, log_of(file_)}) {
    std::error_code absent;
    if (auto const size = std::filesystem::file_size(part, absent); !absent) bytes += static_cast<std::int64_t>(size);
  }
  return {.revision = revision_, .size_bytes = bytes, .quota_bytes = 0};
}

}  // namespace davit::store_sqlite
