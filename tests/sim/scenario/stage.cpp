#include "sim/scenario/stage.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "codec/records.hpp"
#include "sim/scenario/script.hpp"

namespace davit::sim {
namespace {

constexpr Duration kLook = 20ms;
constexpr Duration kCloseLook = 1ms;  // while something is waited for, so that the next command comes right after it
constexpr std::uint64_t kMostSteps = 200'000;  // at one instant

template <class Item>
Item* find_named(std::vector<std::unique_ptr<Item>>& all, std::string const& name, char kind) {
  if (name.size() < 2 || name.front() != kind) return nullptr;
  auto const number = parse_count(name.substr(1)).value_or(0);
  return number < 1 || number > static_cast<std::int64_t>(all.size()) ? nullptr : all[static_cast<std::size_t>(number - 1)].get();
}

template <class Item>
Result<Item*> known(Item* item, std::string const& name, std::string_view what) {
  if (!item) return fail(Code::NotFound, fmt::format("'{}' is no {}", name, what));
  return item;
}

}  // namespace

Stage::Stage(Cluster::Size size, std::uint64_t seed)
    : rules_(loop_, findings_, observers_),
      story_(loop_, rules_.journals()),
      cluster_(loop_, size, Random(seed), observers_),
      watch_(cluster_, [this](ContainerRun const& run, model::ContainerDetail const* ended) { story_.on_run(run, ended); }) {
  rules_.watch(cluster_);
  observers_.add(story_);
  for (auto& agent : cluster_.agents()) agent->engine().lose_events(0);
  subscription_ = cluster_.store().data().subscribe([this] { follow_sessions(); });
  cluster_.start();
}

Stage::~Stage() { cluster_.store().data().unsubscribe(subscription_); }

// A key that vanishes with its lease is no commit.
void Stage::follow_sessions() {
  auto const& data = cluster_.store().data();
  for (auto const& batch : data.changes(std::string(model::kMastersPrefix), std::max(followed_ + 1, data.oldest_revision()))) {
    for (auto const& change : batch.changes) {
      auto const* erased = std::get_if<ports::KeyErased>(&change);
      if (!erased) continue;
      for (auto const& master : cluster_.masters()) {
        if (model::master_key(master->machine().id()) == erased->key) story_.on_session_ended(master->machine().name());
      }
    }
  }
  followed_ = data.revision();
}

Status Stage::advance(Duration by) {
  for (auto const end = now() + by; now() < end;) {
    if (!loop_.try_advance(std::min(kLook, end - now()), kMostSteps)) return fail(Code::Internal, "some process never rests");
    rules_.look();
    story_.look();
    watch_.look();
    if (auto const& finding = findings_.first()) return fail(Code::Internal, fmt::format("rule {}: {}", finding->rule, finding->text));
  }
  return {};
}

Status Stage::wait_for(std::function<std::string()> const& missing, Duration limit) {
  for (auto const end = now() + limit; true;) {
    auto const why = missing();
    if (why.empty()) return {};
    if (now() >= end) return fail(Code::Deadline, why);
    TRY_VOID(advance(kCloseLook));
  }
}

// ---- names

std::string Stage::resolve(std::string const& name) const {
  auto const found = names_.find(name);
  return found == names_.end() ? name : found->second;
}

Result<MasterNode*> Stage::master(std::string const& name) {
  return known(find_named(cluster_.masters(), resolve(name), 'm'), name, "master");
}
Result<AgentNode*> Stage::agent(std::string const& name) {
  return known(find_named(cluster_.agents(), resolve(name), 'w'), name, "worker");
}
Result<StoreMember*> Stage::member(std::string const& name) {
  return known(find_named(cluster_.store().members(), resolve(name), 's'), name, "store");
}

Result<Machine*> Stage::machine(std::string const& name) {
  if (auto const found = master(name)) return &(*found)->machine();
  if (auto const found = agent(name)) return &(*found)->machine();
  return fail(Code::NotFound, fmt::format("'{}' is no master and no worker", name));
}

Result<HostId> Stage::host(std::string const& name) {
  if (auto const found = member(name)) return (*found)->host();
  TRY(auto const* found, machine(name));
  return found->host();
}

std::vector<HostId> Stage::all_hosts() const {
  std::vector<HostId> all;
  for (std::size_t i = 0; i < const_cast<Stage*>(this)->cluster_.network().hosts(); ++i) all.push_back(HostId(i));
  return all;
}

Result<std::string> Stage::owner_of(std::string const& service) {
  auto const& grants = rules_.journals().grants(shard_of(service));
  for (auto const& master : cluster_.masters()) {
    if (!grants.empty() && master->machine().id() == grants.back().owner) return master->machine().name();
  }
  return fail(Code::NotFound, fmt::format("nobody owns {}", service));
}

bool Stage::has_session(MasterNode& master) {
  auto const found = cluster_.store().data().range({.prefix = model::master_key(master.machine().id()), .after = {}});
  return found && !found->items.empty();
}

Result<std::string> Stage::coordinator() {
  TRY(auto const found, cluster_.store().data().range({.prefix = model::coordinator_key(), .after = {}}));
  if (found.items.empty()) return fail(Code::NotFound, "there is no coordinator");
  TRY(auto const record, codec::decode_record(found.items.front().key, found.items.front().value));
  auto const id = std::get<model::CoordinatorRecord>(record).master;
  for (auto const& master : cluster_.masters()) {
    if (master->machine().id() == id) return master->machine().name();
  }
  return fail(Code::Internal, "the coordinator is no master");
}

Result<std::string> Stage::holder_of(std::string const& slot) {
  auto const dot = slot.find('.');
  auto const number = dot == std::string::npos ? 0 : parse_count(slot.substr(dot + 1)).value_or(0);
  auto const key = model::slot_key(slot.substr(0, dot), static_cast<std::uint32_t>(number));
  TRY(auto const found, cluster_.store().data().range({.prefix = key, .limit = 1, .after = {}}));
  if (found.items.empty() || found.items.front().key != key) return fail(Code::NotFound, fmt::format("{} is given to nobody", slot));
  TRY(auto const record, codec::decode_record(key, found.items.front().value));
  return cluster_.agent(std::get<model::SlotRecord>(record).node).machine().name();
}

Result<model::Head const*> Stage::head(std::string const& service) const {
  auto const found = rules_.journals().heads().find(service);
  if (found == rules_.journals().heads().end()) return fail(Code::NotFound, fmt::format("there is no service {}", service));
  return &found->second;
}

}  // namespace davit::sim
