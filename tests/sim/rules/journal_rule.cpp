#include "sim/rules/journal_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "codec/records.hpp"

namespace davit::sim {
namespace {

constexpr std::string_view kRule = "journal";

ports::Put const* find_put(ports::Commit const& commit, std::string const& key) {
  for (auto const& operation : commit.operations) {
    auto const* put = std::get_if<ports::Put>(&operation);
    if (put && put->key == key) return put;
  }
  return nullptr;
}

bool compares(ports::Commit const& commit, std::string const& key) {
  return std::ranges::any_of(commit.compares, [&](auto const& each) { return each.key == key; });
}

}  // namespace

void JournalRule::on_committed(ports::Commit const& commit, ports::Committed const& committed) {
  findings_.checked();
  commits_.emplace_back(loop_.now().monotonic, committed.revision);
  appended_.reset();
  model::EventRecord const* event = nullptr;
  model::HeadRecord const* head = nullptr;
  std::vector<model::Record> records;
  for (auto const& operation : commit.operations) {
    auto const* put = std::get_if<ports::Put>(&operation);
    if (!put) continue;
    auto record = codec::decode_record(put->key, put->value);
    if (!record) return findings_.add(std::string(kRule), fmt::format("{} cannot be read: {}", put->key, record.error().message));
    records.push_back(*std::move(record));
  }
  for (auto const& record : records) {
    check_compares(commit, record);
    if (auto const* found = std::get_if<model::EventRecord>(&record)) event = found;
    if (auto const* found = std::get_if<model::HeadRecord>(&record)) head = found;
    if (auto const* gone = std::get_if<model::GoneRecord>(&record)) {
      if (auto const known = heads_.find(gone->service); known != heads_.end() && known->second.requests != gone->requests)
        findings_.add(std::string(kRule), fmt::format("the removal of {} forgets which requests were carried out", gone->service));
      gone_[gone->service] = gone->requests;
      heads_.erase(gone->service);
    }
    if (auto const* node = std::get_if<model::NodeRecord>(&record)) nodes_[node->id] = *node;
    if (auto const* shard = std::get_if<model::ShardRecord>(&record))
      grants_[shard->shard.value].push_back({committed.revision, loop_.now().monotonic, sessions_[shard->session]});
    if (auto const* master = std::get_if<model::MasterRecord>(&record)) sessions_[master->session] = master->id;
  }
  if (event) {
    check_append(commit, *event, head, committed.revision);
    appended_ = *event;
  }
  for (auto const& operation : commit.operations) {
    auto const* erase = std::get_if<ports::Erase>(&operation);
    if (erase) std::erase_if(nodes_, [&](auto const& each) { return model::node_key(each.first) == erase->key; });
    if (erase) std::erase_if(gone_, [&](auto const& each) { return model::gone_key(each.first) == erase->key; });
  }
}

void JournalRule::check_append(ports::Commit const& commit, model::EventRecord const& event, model::HeadRecord const* record,
                               std::int64_t revision) {
  auto const& name = event.service;
  auto const* put = find_put(commit, model::head_key(name));
  if (!put || !record)
    return findings_.add(std::string(kRule), fmt::format("event {} of {} was written without a head", event.event.number, name));
  auto const& head = record->head;

  model::Head before{.name = name};
  if (auto const known = heads_.find(name); known != heads_.end()) before = known->second;
  else if (auto const gone = gone_.find(name); gone != gone_.end()) before.requests = gone->second;
  auto after = model::apply(before, event.event);
  after.uid = head.uid;
  if (codec::encode_record(model::HeadRecord{after}) != put->value) {
    findings_.add(std::string(kRule),
                  fmt::format("head {} of {} is not what event {} makes of head {}: {} instead of {}", head.events, name,
                              event.event.number, before.events, put->value, codec::encode_record(model::HeadRecord{after})));
  }
  for (auto const& [number, content] : after.revisions) {
    auto const* stored = find_put(commit, model::spec_key(name, number));
    if (stored && codec::encode_record(model::SpecRecord{name, number, content}) != stored->value)
      findings_.add(std::string(kRule), fmt::format("revision {} of {} was stored with another spec", number, name));
  }
  if (after.uid.revision == 0) after.uid.revision = revision;
  check_decision(before, event.event, after);
  on_request(event.event, after);
  heads_[name] = std::move(after);
}

void JournalRule::check_decision(model::Head const& before, model::JournalEvent const& event, model::Head const& after) {
  if (!std::holds_alternative<model::RolledBack>(event.body) || before.spec()->instances == after.spec()->instances) return;
  findings_.add(std::string(kRule), fmt::format("a rollback of {} takes it from {} to {} instances", before.name, before.spec()->instances,
                                                after.spec()->instances));
}

void JournalRule::check_compares(ports::Commit const& commit, model::Record const& record) {
  std::vector<std::string> wanted;
  if (auto const* head = std::get_if<model::HeadRecord>(&record)) {
    wanted = {model::shard_key(shard_of(head->head.name)), model::head_key(head->head.name)};
  } else if (auto const* gone = std::get_if<model::GoneRecord>(&record)) {
    wanted = {model::shard_key(shard_of(gone->service)), model::head_key(gone->service)};
  } else if (auto const* slot = std::get_if<model::SlotRecord>(&record)) {
    wanted = {model::shard_key(shard_of(slot->service)), model::key_of(record)};
  } else if (std::holds_alternative<model::NodeRecord>(record) || std::holds_alternative<model::ShardRecord>(record) ||
             std::holds_alternative<model::SuspectsRecord>(record)) {
    wanted = {model::coordinator_key(), model::key_of(record)};
    if (std::holds_alternative<model::SuspectsRecord>(record)) wanted.pop_back();
  }
  for (auto const& key : wanted) {
    if (!compares(commit, key))
      findings_.add(std::string(kRule), fmt::format("{} was written without a compare of {}", model::key_of(record), key));
  }
}

void JournalRule::on_request(model::JournalEvent const& event, model::Head const& head) {
  if (event.request_id.empty()) return;
  auto const [done, is_first] = requests_.try_emplace(event.request_id, Done{head.name, head.generation});
  if (!is_first) findings_.add("acts_once", fmt::format("request {} was carried out twice on {}", event.request_id, head.name));
}

JournalRule::Grant const* JournalRule::find_grant(Fence fence) const {
  auto const& grants = grants_[fence.shard.value];
  auto const found = std::ranges::lower_bound(grants, fence.epoch.revision, {}, &Grant::revision);
  return found != grants.end() && found->revision == fence.epoch.revision ? &*found : nullptr;
}

std::int64_t JournalRule::revision_at(Monotonic at) const {
  auto const next = std::ranges::upper_bound(commits_, at, {}, [](auto const& each) { return each.first; });
  return next == commits_.begin() ? 0 : std::prev(next)->second;
}

JournalRule::Done const* JournalRule::find_request(std::string const& id) const {
  auto const found = requests_.find(id);
  return found == requests_.end() ? nullptr : &found->second;
}

}  // namespace davit::sim
