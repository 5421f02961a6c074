#include "adapters/store_etcd/messages.hpp"

#include <algorithm>
#include <chrono>

#include "proto/etcd/rpc.pb.h"

namespace davit::store_etcd {
namespace {

namespace pb = etcdserverpb;

constexpr char kNoEnd = '\0';

void set_prefix(auto& request, std::string const& prefix) {
  request.set_key(prefix.empty() ? std::string(1, kNoEnd) : prefix);
  request.set_range_end(end_of(prefix));
}

void add(pb::TxnRequest& txn, ports::Compare const& compare) {
  auto& to = *txn.add_compare();
  to.set_key(compare.key);
  switch (compare.target) {
    case ports::Compare::Target::Version:
      to.set_target(pb::Compare::VERSION);
      to.set_version(compare.value);
      break;
    case ports::Compare::Target::CreateRevision:
      to.set_target(pb::Compare::CREATE);
      to.set_create_revision(compare.value);
      break;
    case ports::Compare::Target::ModRevision:
      to.set_target(pb::Compare::MOD);
      to.set_mod_revision(compare.value);
      break;
  }
}

void add(pb::TxnRequest& txn, ports::Put const& put) {
  auto& to = *txn.add_success()->mutable_request_put();
  to.set_key(put.key);
  to.set_value(put.value);
  to.set_lease(put.lease);
}

void add(pb::TxnRequest& txn, ports::Erase const& erase) { txn.add_success()->mutable_request_delete_range()->set_key(erase.key); }

ports::KeyValue take(mvccpb::KeyValue& from) {
  return {.key = std::move(*from.mutable_key()),
          .value = std::move(*from.mutable_value()),
          .create_revision = from.create_revision(),
          .mod_revision = from.mod_revision(),
          .version = from.version(),
          .lease = from.lease()};
}

// etcd sends whole revisions, in order, several in one message.
void add(std::vector<ports::WatchBatch>& batches, mvccpb::Event& event) {
  auto& item = *event.mutable_kv();
  if (batches.empty() || batches.back().revision != item.mod_revision())
    batches.push_back({.revision = item.mod_revision(), .compacted = false, .changes = {}});
  auto& changes = batches.back().changes;
  if (event.type() == mvccpb::Event::PUT) changes.emplace_back(ports::KeyPut{take(item)});
  else changes.emplace_back(ports::KeyErased{.key = std::move(*item.mutable_key()), .mod_revision = item.mod_revision()});
}

template <class Message>
Result<Message> parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(Code::Internal, "etcd sent what is not an answer of its API");
  return message;
}

std::int64_t whole_seconds(Duration ttl) { return std::chrono::ceil<std::chrono::seconds>(ttl).count(); }

Result<Answer> lease(std::int64_t id, std::int64_t ttl) {
  return Answer{ports::LeaseGranted{.lease = id, .ttl = std::chrono::seconds(ttl)}};
}

struct RevisionOf {
  std::int64_t operator()(Applied const& answer) const { return answer.revision; }
  std::int64_t operator()(ports::Committed const& answer) const { return answer.revision; }
  std::int64_t operator()(ports::RangeResult const& answer) const { return answer.revision; }
  std::int64_t operator()(ports::LeaseGranted const&) const { return 0; }
  std::int64_t operator()(MemberStatus const& answer) const { return answer.store.revision; }
  std::int64_t operator()(Token const&) const { return 0; }
};

}  // namespace

std::int64_t revision_of(Answer const& answer) { return std::visit(RevisionOf{}, answer); }

std::string end_of(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(1, kNoEnd);
  ++prefix.back();
  return prefix;
}

std::string write_txn(ports::Commit const& commit) {
  pb::TxnRequest txn;
  for (auto const& compare : commit.compares) add(txn, compare);
  for (auto const& operation : commit.operations) std::visit([&](auto const& each) { add(txn, each); }, operation);
  return txn.SerializeAsString();
}

std::string write_range(ports::Range const& range) {
  pb::RangeRequest request;
  set_prefix(request, range.prefix);
  // The smallest key greater than `after` is `after` and a zero byte.
  if (!range.after.empty()) request.set_key(std::max(request.key(), range.after + '\0'));
  request.set_limit(range.limit);
  request.set_revision(range.revision);
  return request.SerializeAsString();
}

std::string write_grant(Duration ttl) {
  pb::LeaseGrantRequest request;
  request.set_ttl(whole_seconds(ttl));
  return request.SerializeAsString();
}

std::string write_keep_alive(std::int64_t lease) {
  pb::LeaseKeepAliveRequest request;
  request.set_id(lease);
  return request.SerializeAsString();
}

std::string write_revoke(std::int64_t lease) {
  pb::LeaseRevokeRequest request;
  request.set_id(lease);
  return request.SerializeAsString();
}

std::string write_compaction(std::int64_t revision) {
  pb::CompactionRequest request;
  request.set_revision(revision);
  return request.SerializeAsString();
}

std::string write_authentication(std::string const& user, std::string const& password) {
  pb::AuthenticateRequest request;
  request.set_name(user);
  request.set_password(password);
  return request.SerializeAsString();
}

std::string write_watch(std::string const& prefix, std::int64_t from) {
  pb::WatchRequest request;
  auto& create = *request.mutable_create_request();
  set_prefix(create, prefix);
  create.set_start_revision(from);
  create.set_progress_notify(true);
  return request.SerializeAsString();
}

std::string write_progress_request() {
  pb::WatchRequest request;
  request.mutable_progress_request();
  return request.SerializeAsString();
}

Result<Answer> read_committed(std::string_view bytes) {
  TRY(auto const txn, parse<pb::TxnResponse>(bytes));
  return Answer{ports::Committed{.succeeded = txn.succeeded(), .revision = txn.header().revision()}};
}

Result<Answer> read_range(std::string_view bytes) {
  TRY(auto response, parse<pb::RangeResponse>(bytes));
  ports::RangeResult result{.items = {}, .more = response.more(), .revision = response.header().revision()};
  result.items.reserve(static_cast<std::size_t>(response.kvs_size()));
  for (auto& item : *response.mutable_kvs()) result.items.push_back(take(item));
  return Answer{std::move(result)};
}

Result<Answer> read_granted(std::string_view bytes) {
  TRY(auto const response, parse<pb::LeaseGrantResponse>(bytes));
  if (!response.error().empty()) return fail(Code::Internal, "etcd grants no lease: " + response.error());
  return lease(response.id(), response.ttl());
}

Result<Answer> read_kept_alive(std::string_view bytes) {
  TRY(auto const response, parse<pb::LeaseKeepAliveResponse>(bytes));
  if (response.ttl() <= 0) return fail(Code::NotFound, "the lease has ended");
  return lease(response.id(), response.ttl());
}

Result<Answer> read_revoked(std::string_view bytes) {
  TRY(auto const response, parse<pb::LeaseRevokeResponse>(bytes));
  return Answer{Applied{response.header().revision()}};
}

Result<Answer> read_compacted(std::string_view bytes) {
  TRY(auto const response, parse<pb::CompactionResponse>(bytes));
  return Answer{Applied{response.header().revision()}};
}

Result<Answer> read_status(std::string_view bytes) {
  TRY(auto const response, parse<pb::StatusResponse>(bytes));
  return Answer{MemberStatus{
      .store = {.revision = response.header().revision(), .size_bytes = response.dbsizeinuse(), .quota_bytes = response.dbsizequota()},
      .version = response.version()}};
}

Result<Answer> read_token(std::string_view bytes) {
  TRY(auto const response, parse<pb::AuthenticateResponse>(bytes));
  return Answer{Token{response.token()}};
}

Result<WatchMessage> read_watch(std::string_view bytes) {
  TRY(auto response, parse<pb::WatchResponse>(bytes));
  WatchMessage message{.revision = response.header().revision(),
                       .created = response.created(),
                       .cancelled = response.canceled(),
                       .compacted_before = response.compact_revision(),
                       .reason = response.cancel_reason(),
                       .batches = {}};
  for (auto& event : *response.mutable_events()) add(message.batches, event);
  return message;
}

}  // namespace davit::store_etcd
