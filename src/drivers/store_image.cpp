#include "drivers/store_image.hpp"

#include <fmt/core.h>

#include "codec/records.hpp"

namespace davit::drivers {
namespace {

constexpr std::int64_t kPage = 500;
constexpr Duration kLimit = 10s;

struct Reading {
  ports::Loop& loop;
  ports::Store& store;
  std::function<void(Result<master::StoreImage>)> done;
  master::StoreImage image;
};

void read_page(std::shared_ptr<Reading> reading, std::string after);

void on_page(std::shared_ptr<Reading> const& reading, Result<ports::RangeResult> const& page) {
  if (!page) return reading->done(std::unexpected(page.error()));
  if (reading->image.revision == 0) reading->image.revision = page->revision;
  for (auto const& item : page->items) {
    if (auto added = add_record(reading->image, item); !added) return reading->done(std::unexpected(added.error()));
  }
  if (page->more) return read_page(reading, page->items.back().key);
  if (auto completed = complete(reading->image); !completed) return reading->done(std::unexpected(completed.error()));
  reading->done(std::move(reading->image));
}

void read_page(std::shared_ptr<Reading> reading, std::string after) {
  ports::Range range{.prefix = std::string(model::kRoot), .revision = reading->image.revision, .limit = kPage, .after = std::move(after)};
  auto& store = reading->store;
  auto const deadline = reading->loop.now().monotonic + kLimit;
  store.range(std::move(range), deadline, [reading = std::move(reading)](Result<ports::RangeResult> page) { on_page(reading, page); });
}

// The keys of one service stand together, so it is the last one or a new one.
model::Head& head_of(master::StoreImage& image, std::string const& service) {
  if (image.heads.empty() || image.heads.back().name != service) image.heads.push_back({.name = service});
  return image.heads.back();
}

}  // namespace

void read_store_image(ports::Loop& loop, ports::Store& store, std::function<void(Result<master::StoreImage>)> done) {
  read_page(std::make_shared<Reading>(Reading{loop, store, std::move(done), {}}), {});
}

Status add_record(master::StoreImage& image, ports::KeyValue const& item) {
  TRY(auto record, codec::decode_record(item.key, item.value));
  if (auto* cluster = std::get_if<model::ClusterRecord>(&record)) {
    image.cluster = *cluster;
    image.mod_revisions[item.key] = item.mod_revision;
  } else if (auto* shard = std::get_if<model::ShardRecord>(&record)) {
    image.sessions[shard->shard.value] = std::move(shard->session);
    image.mod_revisions[item.key] = item.mod_revision;
  } else if (auto* node = std::get_if<model::NodeRecord>(&record)) {
    image.nodes.push_back(std::move(*node));
    image.mod_revisions[item.key] = item.mod_revision;
  } else if (auto* gone = std::get_if<model::GoneRecord>(&record)) {
    image.gone.push_back(std::move(*gone));
  } else if (auto* head = std::get_if<model::HeadRecord>(&record)) {
    auto& known = head_of(image, head->head.name);
    auto revisions = std::move(known.revisions);
    for (auto& [revision, content] : head->head.revisions) revisions.try_emplace(revision);
    known = std::move(head->head);
    known.revisions = std::move(revisions);
    if (known.uid.revision == 0) known.uid.revision = item.create_revision;
  } else if (auto* spec = std::get_if<model::SpecRecord>(&record)) {
    head_of(image, spec->service).revisions[spec->revision] = std::move(spec->content);
  }
  return {};
}

Status complete(master::StoreImage& image) {
  for (auto const& head : image.heads) {
    if (head.events == 0) return fail(Code::Invalid, fmt::format("the store holds specs of service '{}' but no head", head.name));
    for (auto const& [revision, content] : head.revisions) {
      if (!content.spec)
        return fail(Code::Invalid, fmt::format("the store holds no spec of revision {} of service '{}'", revision, head.name));
    }
  }
  return {};
}

}  // namespace davit::drivers
