#include "app/store_copy.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "codec/records.hpp"
#include "model/records.hpp"

namespace davit::app {
namespace {

constexpr Duration kCallLimit = 10s;
constexpr std::size_t kMostPerCommit = 100;                    // of etcd's 128 operations
constexpr std::size_t kMostBytes = std::size_t{1} << 20;       // etcd takes 1.5 MiB in one request
constexpr std::int64_t kPage = 1000;

// One call of a store after the other.
template <class T>
Result<T> wait_for(runtime::AsioLoop& loop, std::function<void(Monotonic deadline, ports::Done<T> done)> const& call) {
  std::optional<Result<T>> outcome;
  call(loop.now().monotonic + kCallLimit, [&outcome](Result<T> result) { outcome = std::move(result); });
  static_cast<void>(loop.run_until([&outcome] { return outcome.has_value(); }, kCallLimit + 1s));
  if (!outcome) return fail(Code::Deadline, "the store does not answer");
  return *std::move(outcome);
}

Result<std::vector<ports::KeyValue>> read_all(runtime::AsioLoop& loop, ports::Store& store) {
  std::vector<ports::KeyValue> all;
  ports::Range range{.prefix = std::string(model::kRoot), .limit = kPage};
  while (true) {
    TRY(auto page,
        wait_for<ports::RangeResult>(loop, [&](Monotonic deadline, auto done) { store.range(range, deadline, std::move(done)); }));
    std::ranges::move(page.items, std::back_inserter(all));
    if (!page.more) return all;
    range.after = all.back().key;
    range.revision = page.revision;
  }
}

// Where no cluster is yet. What is done twice here does no harm, so a commit of unknown outcome is sent again.
Status commit(runtime::AsioLoop& loop, ports::Store& store, std::vector<ports::Operation> operations) {
  ports::Commit const commit{.compares = {{model::cluster_key(), ports::Compare::Target::Version, 0}}, .operations = std::move(operations)};
  auto const send = [&] {
    return wait_for<ports::Committed>(loop, [&](Monotonic deadline, auto done) { store.commit(commit, deadline, std::move(done)); });
  };
  auto answer = send();
  if (!answer && answer.error().code == Code::UnknownOutcome) answer = send();
  if (!answer) return std::unexpected(answer.error());
  if (!answer->succeeded) return fail(Code::Exists, "another cluster has begun in the store meanwhile");
  return {};
}

std::size_t size_of(ports::Operation const& operation) {
  auto const* put = std::get_if<ports::Put>(&operation);
  return put ? put->key.size() + put->value.size() : 0;
}

Status commit_all(runtime::AsioLoop& loop, ports::Store& store, std::vector<ports::Operation> operations,
                  std::function<void(std::size_t)> const& on_done) {
  std::size_t done = 0;
  while (done < operations.size()) {
    std::vector<ports::Operation> some;
    for (std::size_t bytes = 0; done < operations.size() && some.size() < kMostPerCommit; ++done) {
      bytes += size_of(operations[done]);
      if (bytes > kMostBytes && !some.empty()) break;
      some.push_back(std::move(operations[done]));
    }
    TRY_VOID(commit(loop, store, std::move(some)));
    on_done(done);
  }
  return {};
}

// False: the whole copy is there, from an earlier time.
Result<bool> erase_leftovers(runtime::AsioLoop& loop, ports::Store& store, ports::Put const& cluster) {
  TRY(auto const items, read_all(loop, store));
  std::vector<ports::Operation> erasures;
  for (auto const& item : items) {
    if (item.key == model::cluster_key()) {
      if (item.value == cluster.value) return false;
      TRY(auto const record, codec::decode_record(item.key, item.value));
      return fail(Code::Exists, fmt::format("it holds cluster {} already: copy into an etcd without one",
                                            to_string(std::get<model::ClusterRecord>(record).uid)));
    }
    erasures.emplace_back(ports::Erase{item.key});
  }
  TRY_VOID(commit_all(loop, store, std::move(erasures), [](std::size_t) {}));
  return true;
}

}  // namespace

Result<std::optional<std::string>> carried_over(ports::KeyValue const& item) {
  TRY(auto record, codec::decode_record(item.key, item.value));
  if (auto* cluster = std::get_if<model::ClusterRecord>(&record)) {
    ++cluster->era;
  } else if (auto* head = std::get_if<model::HeadRecord>(&record)) {
    auto& uid = head->head.uid;
    if (uid.revision == 0) uid.revision = item.create_revision;
  } else {
    bool const is_durable = std::holds_alternative<model::NodeRecord>(record) || std::holds_alternative<model::SpecRecord>(record) ||
                            std::holds_alternative<model::EventRecord>(record) || std::holds_alternative<model::GoneRecord>(record) ||
                            std::holds_alternative<model::SlotRecord>(record);
    if (!is_durable) return std::optional<std::string>();
    return std::optional(item.value);
  }
  return std::optional(codec::encode_record(record));
}

Result<CopyReport> copy_store(runtime::AsioLoop& loop, ports::Store& from, ports::Store& to,
                              std::function<void(std::size_t keys, std::size_t all)> const& on_progress) {
  TRY(auto const items, read_all(loop, from));
  CopyReport report;
  std::vector<ports::Operation> puts;
  ports::Put cluster;
  for (auto const& item : items) {
    TRY(auto value, carried_over(item));
    if (!value) continue;
    report.services += item.key.ends_with("/head");
    if (item.key != model::cluster_key()) puts.emplace_back(ports::Put{.key = item.key, .value = *std::move(value)});
    else cluster = {.key = item.key, .value = *std::move(value)};
  }
  if (cluster.key.empty()) return fail(Code::NotFound, "it holds no cluster: davit has not run on it yet");
  TRY(auto const record, codec::decode_record(cluster.key, cluster.value));
  report.cluster = std::get<model::ClusterRecord>(record).uid;
  report.era = std::get<model::ClusterRecord>(record).era;
  report.keys = puts.size() + 1;
  TRY(auto const is_free, erase_leftovers(loop, to, cluster));
  report.was_there = !is_free;
  if (report.was_there) return report;
  TRY_VOID(commit_all(loop, to, std::move(puts), [&](std::size_t done) { on_progress(done, report.keys); }));
  if (auto const begun = commit(loop, to, {cluster}); !begun) {
    // It may be the first try's, of which nothing was known.
    TRY(auto const there, read_all(loop, to));
    bool const is_ours =
        std::ranges::any_of(there, [&](auto const& each) { return each.key == cluster.key && each.value == cluster.value; });
    if (!is_ours) return std::unexpected(begun.error());
  }
  on_progress(report.keys, report.keys);
  return report;
}

}  // namespace davit::app
