#include "drivers/store_batch.hpp"

#include <memory>

#include "codec/records.hpp"
#include "model/records.hpp"

namespace davit::drivers {
namespace {

constexpr std::int64_t kPage = 500;
constexpr Duration kLimit = 10s;

struct Reading {
  ports::Loop& loop;
  ports::Store& store;
  std::function<void(Result<master::StoreBatch>)> done;
  master::StoreBatch batch;
};

Result<master::StoreChange> decode(ports::KeyValue const& item) {
  TRY(auto record, codec::decode_record(item.key, item.value));
  return master::StoreChange{item.key, std::move(record), item.create_revision, item.mod_revision};
}

void read_page(std::shared_ptr<Reading> reading, std::string after);

void on_page(std::shared_ptr<Reading> const& reading, Result<ports::RangeResult> const& page) {
  if (!page) return reading->done(std::unexpected(page.error()));
  if (reading->batch.revision == 0) reading->batch.revision = page->revision;
  for (auto const& item : page->items) {
    auto change = decode(item);
    if (!change) return reading->done(std::unexpected(change.error()));
    reading->batch.changes.push_back(*std::move(change));
  }
  if (page->more) return read_page(reading, page->items.back().key);
  reading->done(std::move(reading->batch));
}

void read_page(std::shared_ptr<Reading> reading, std::string after) {
  ports::Range range{.prefix = std::string(model::kRoot), .revision = reading->batch.revision, .limit = kPage, .after = std::move(after)};
  auto& store = reading->store;
  auto const deadline = reading->loop.now().monotonic + kLimit;
  store.range(std::move(range), deadline, [reading = std::move(reading)](Result<ports::RangeResult> page) { on_page(reading, page); });
}

}  // namespace

void read_store(ports::Loop& loop, ports::Store& store, std::function<void(Result<master::StoreBatch>)> done) {
  read_page(std::make_shared<Reading>(Reading{loop, store, std::move(done), {}}), {});
}

Result<master::StoreBatch> decode_batch(ports::WatchBatch const& batch) {
  master::StoreBatch decoded{.revision = batch.revision};
  for (auto const& each : batch.changes) {
    if (auto const* erased = std::get_if<ports::KeyErased>(&each)) {
      decoded.changes.push_back({.key = erased->key, .mod_revision = erased->mod_revision});
      continue;
    }
    TRY(auto change, decode(std::get<ports::KeyPut>(each).item));
    decoded.changes.push_back(std::move(change));
  }
  return decoded;
}

}  // namespace davit::drivers
