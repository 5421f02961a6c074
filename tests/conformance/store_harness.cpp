#include "conformance/store_harness.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"

namespace davit::conformance {

ports::Put put(std::string key, std::string value, std::int64_t lease) {
  return {.key = std::move(key), .value = std::move(value), .lease = lease};
}
ports::Erase erase(std::string key) { return {.key = std::move(key)}; }
ports::Compare version_is(std::string key, std::int64_t version) {
  return {.key = std::move(key), .target = ports::Compare::Target::Version, .value = version};
}

Monotonic StoreClient::deadline() const { return harness_.loop().now().monotonic + kPatience; }

template <class T, class Start>
Result<T> StoreClient::wait_for(Start start) {
  // Shared, because an answer may come after the patience has ended.
  auto answer = std::make_shared<std::optional<Result<T>>>();
  start([answer](Result<T> result) {
    CHECK(!answer->has_value(), "answered twice");
    *answer = std::move(result);
  });
  CHECK(!answer->has_value(), "answered inside the call");
  if (!harness_.run_until([&] { return answer->has_value(); })) return fail(Code::Internal, "the store never answered");
  return **answer;
}

Result<ports::Committed> StoreClient::commit(std::vector<ports::Compare> compares, std::vector<ports::Operation> operations) {
  return wait_for<ports::Committed>([&](auto done) {
    harness_.store().commit({.compares = std::move(compares), .operations = std::move(operations)}, deadline(), std::move(done));
  });
}

Result<ports::RangeResult> StoreClient::range(ports::Range range) {
  return wait_for<ports::RangeResult>([&](auto done) { harness_.store().range(std::move(range), deadline(), std::move(done)); });
}

std::optional<ports::KeyValue> StoreClient::get(std::string const& key) {
  auto const result = range({.prefix = key});
  CHECK(result.has_value(), "{}", result.error().message);
  if (result->items.empty() || result->items.front().key != key) return std::nullopt;
  return result->items.front();
}

std::vector<std::string> StoreClient::keys(ports::Range asked) {
  auto const result = range(std::move(asked));
  CHECK(result.has_value(), "{}", result.error().message);
  std::vector<std::string> names;
  for (auto const& item : result->items) names.push_back(item.key);
  return names;
}

Result<ports::LeaseGranted> StoreClient::grant_lease(Duration ttl) {
  return wait_for<ports::LeaseGranted>([&](auto done) { harness_.store().grant_lease(ttl, deadline(), std::move(done)); });
}

Result<ports::LeaseGranted> StoreClient::renew_lease(std::int64_t lease) {
  return wait_for<ports::LeaseGranted>([&](auto done) { harness_.store().renew_lease(lease, deadline(), std::move(done)); });
}

Status StoreClient::revoke_lease(std::int64_t lease) {
  return wait_for<void>([&](auto done) { harness_.store().revoke_lease(lease, deadline(), std::move(done)); });
}

Status StoreClient::compact(std::int64_t before_revision) {
  return wait_for<void>([&](auto done) { harness_.store().compact(before_revision, deadline(), std::move(done)); });
}

std::int64_t StoreClient::revision() {
  auto const status = wait_for<ports::StoreStatus>([&](auto done) { harness_.store().status(deadline(), std::move(done)); });
  CHECK(status.has_value(), "{}", status.error().message);
  return status->revision;
}

WatchRecord::WatchRecord(StoreHarness& harness, std::string prefix, std::int64_t from)
    : watch_(harness.store().watch(std::move(prefix), from, [this](ports::WatchBatch const& batch) {
        revisions_.push_back(batch.revision);
        if (batch.compacted) lines_.emplace_back("compacted");
        for (auto const& change : batch.changes) {
          if (auto const* put = std::get_if<ports::KeyPut>(&change))
            lines_.push_back(fmt::format("{} {}={}", put->item.mod_revision, put->item.key, put->item.value));
          else
            lines_.push_back(
                fmt::format("{} -{}", std::get<ports::KeyErased>(change).mod_revision, std::get<ports::KeyErased>(change).key));
        }
      })) {}

}  // namespace davit::conformance
