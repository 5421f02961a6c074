#include "adapters/store_etcd/etcd_store.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "adapters/store_etcd/calls.hpp"
#include "adapters/store_etcd/endpoint.hpp"
#include "adapters/store_etcd/members.hpp"
#include "adapters/store_etcd/messages.hpp"
#include "adapters/store_etcd/watches.hpp"
#include "rpc/client.hpp"

namespace davit::store_etcd {
namespace {

using enum Request::Kind;

constexpr std::size_t kMaxOperations = 128;  // etcd's default limit, for compares and for operations

class Ended final : public ports::Watch {};

Status check(ports::Commit const& commit) {
  if (commit.operations.size() > kMaxOperations || commit.compares.size() > kMaxOperations)
    return fail(Code::Invalid, fmt::format("a commit has at most {} compares and {} operations", kMaxOperations, kMaxOperations));
  if (std::ranges::any_of(commit.compares, [](auto const& compare) { return compare.key.empty(); }))
    return fail(Code::Invalid, "a key must not be empty");
  std::set<std::string_view> seen;
  for (auto const& operation : commit.operations) {
    auto const& key = std::visit([](auto const& each) -> std::string const& { return each.key; }, operation);
    if (key.empty()) return fail(Code::Invalid, "a key must not be empty");
    if (!seen.insert(key).second) return fail(Code::Invalid, fmt::format("the key {} occurs twice in one commit", key));
  }
  return {};
}

Result<std::string> read_file(std::filesystem::path const& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file || text.empty()) return fail(Code::Invalid, fmt::format("cannot read {}", path.string()));
  return text;
}

Result<std::optional<rpc::Tls>> read_tls(std::optional<EtcdStore::Tls> const& files, bool is_secure) {
  if (!files && !is_secure) return std::optional<rpc::Tls>();
  auto const paths = files.value_or(EtcdStore::Tls{});
  if (paths.certificate.empty() != paths.key.empty()) return fail(Code::Invalid, "a client certificate and its key go together");
  rpc::Tls tls;
  TRY(tls.ca, read_file(paths.ca));
  TRY(tls.certificate, read_file(paths.certificate));
  TRY(tls.key, read_file(paths.key));
  return std::optional(std::move(tls));
}

// The value that the caller waits for, out of the answer that has come.
template <class T>
Calls::Finish finish(ports::Done<T> done) {
  return [done = std::move(done)](Result<Answer> answer) {
    if (!answer) done(std::unexpected(std::move(answer).error()));
    else if constexpr (std::is_void_v<T>) done({});
    else done(std::get<T>(*std::move(answer)));
  };
}

}  // namespace

struct EtcdStore::Impl {
  Impl(ports::Loop& event_loop, Options const& options, std::vector<std::string> const& addresses, std::optional<rpc::Tls> const& tls)
      : loop(event_loop),
        quota_bytes(options.quota_bytes),
        rpc(event_loop),
        members(rpc, addresses, tls,
                {.on_joined = [this] { on_joined(); }, .on_left = [this](auto member) { watches.on_member_left(member); }}),
        calls(event_loop, rpc, members, {.user = options.user, .password = options.password, .try_limit = options.try_limit},
              {.on_revision = [this](std::int64_t revision) { watches.notice(revision); }, .on_token = [this] { watches.on_may_ask(); }}),
        watches(event_loop, rpc, members, calls) {}

  void on_joined() {
    calls.on_member_joined();
    watches.on_may_ask();
  }

  ports::Loop& loop;
  std::int64_t const quota_bytes;
  rpc::Client rpc;
  Members members;
  Calls calls;
  Watches watches;
  std::shared_ptr<bool> is_open = std::make_shared<bool>(true);
};

EtcdStore::EtcdStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EtcdStore::~EtcdStore() { stop(); }

Result<std::unique_ptr<EtcdStore>> EtcdStore::open(ports::Loop& loop, Options options) {
  TRY(auto const endpoints, parse_endpoints(options.endpoints));
  TRY(auto const tls, read_tls(options.tls, endpoints.is_secure));
  return std::unique_ptr<EtcdStore>(new EtcdStore(std::make_unique<Impl>(loop, options, endpoints.addresses, tls)));
}

void EtcdStore::stop() {
  // Moved out first: destroying what the calls hold may lead back here.
  if (auto const impl = std::exchange(impl_, nullptr)) *impl->is_open = false;
}

void EtcdStore::commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) {
  if (!impl_) return;
  if (auto wrong = check(commit); !wrong) {
    impl_->loop.post([is_open = impl_->is_open, done = std::move(done), wrong = std::move(wrong).error()] {
      if (*is_open) done(std::unexpected(wrong));
    });
    return;
  }
  impl_->calls.add({.method = "/etcdserverpb.KV/Txn", .body = write_txn(commit), .kind = Once, .read = &read_committed}, deadline,
                   finish(std::move(done)));
}

void EtcdStore::range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) {
  if (!impl_) return;
  auto at_revision = [done = std::move(done), asked = range.revision](Result<ports::RangeResult> result) {
    if (result && asked != 0) result->revision = asked;
    done(std::move(result));
  };
  impl_->calls.add({.method = "/etcdserverpb.KV/Range", .body = write_range(range), .kind = Read, .read = &read_range}, deadline,
                   finish<ports::RangeResult>(std::move(at_revision)));
}

std::unique_ptr<ports::Watch> EtcdStore::watch(std::string prefix, std::int64_t from,
                                               std::function<void(ports::WatchBatch const&)> on_batch) {
  if (!impl_) return std::make_unique<Ended>();
  return impl_->watches.add(std::move(prefix), from, std::move(on_batch));
}

// One that is granted without our hearing of it ends by itself.
void EtcdStore::grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  if (!impl_) return;
  impl_->calls.add({.method = "/etcdserverpb.Lease/LeaseGrant", .body = write_grant(ttl), .kind = Once, .read = &read_granted}, deadline,
                   finish(std::move(done)));
}

// A stream of one message each way: to gRPC that is a call like any other.
void EtcdStore::renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  if (!impl_) return;
  impl_->calls.add(
      {.method = "/etcdserverpb.Lease/LeaseKeepAlive", .body = write_keep_alive(lease), .kind = Repeatable, .read = &read_kept_alive},
      deadline, finish(std::move(done)));
}

void EtcdStore::revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) {
  if (!impl_) return;
  impl_->calls.add({.method = "/etcdserverpb.Lease/LeaseRevoke", .body = write_revoke(lease), .kind = Repeatable, .read = &read_revoked},
                   deadline, finish(std::move(done)));
}

// etcd's compaction at a revision keeps that one to be read, but not its erasures to be watched; the port's keeps both. So: one less.
void EtcdStore::compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) {
  if (!impl_) return;
  auto finish = [before_revision, done = std::move(done)](Result<Answer> answer) {
    if (answer && revision_of(*answer) < before_revision)
      return done(
          fail(Code::Invalid, fmt::format("revision {} is in the future: the store is at {}", before_revision, revision_of(*answer))));
    if (answer || answer.error().code == Code::Stale) return done({});  // Stale: compacted further already
    done(std::unexpected(std::move(answer).error()));
  };
  impl_->calls.add(
      {.method = "/etcdserverpb.KV/Compact", .body = write_compaction(before_revision - 1), .kind = Repeatable, .read = &read_compacted},
      deadline, std::move(finish));
}

void EtcdStore::status(Monotonic deadline, ports::Done<ports::StoreStatus> done) {
  if (!impl_) return;
  auto finish = [quota = impl_->quota_bytes, done = std::move(done)](Result<Answer> answer) {
    if (!answer) return done(std::unexpected(std::move(answer).error()));
    auto status = std::get<MemberStatus>(*answer).store;
    if (status.quota_bytes == 0) status.quota_bytes = quota;
    done(status);
  };
  impl_->calls.add({.method = "/etcdserverpb.Maintenance/Status", .body = {}, .kind = Read, .read = &read_status}, deadline,
                   std::move(finish));
}

}  // namespace davit::store_etcd
