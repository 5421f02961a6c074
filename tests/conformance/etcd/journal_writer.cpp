#include "conformance/etcd/journal_writer.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::conformance {
namespace {

constexpr Duration kLimit = 10s;

std::string event_key(std::string const& root, std::int64_t event) { return fmt::format("{}events/{:06}", root, event); }
std::string tag(std::string const& root, std::int64_t event) { return fmt::format("{}{}", root, event); }

}  // namespace

JournalWriter::JournalWriter(ports::Loop& loop, ports::Store& store, int journals) : loop_(loop), store_(store) {
  for (int i = 0; i < journals; ++i) journals_.push_back({.root = fmt::format("j{:03}/", i)});
}

void JournalWriter::start() {
  for (auto& journal : journals_) {
    ++in_flight_;
    append(journal);
  }
}

void JournalWriter::append(Journal& journal) {
  auto const& [root, events] = journal;
  ports::Commit commit{.compares = {{.key = root + "head", .target = ports::Compare::Target::Version, .value = events}},
                       .operations = {ports::Put{.key = event_key(root, events), .value = tag(root, events)},
                                      ports::Put{.key = root + "head", .value = std::to_string(events)}}};
  store_.commit(std::move(commit), loop_.now().monotonic + kLimit,
                [this, &journal](Result<ports::Committed> const& answer) { on_appended(journal, answer); });
}

void JournalWriter::on_appended(Journal& journal, Result<ports::Committed> const& answer) {
  if (answer && answer->succeeded) return on_done(journal, answer->revision);
  if (answer) return look(journal);
  if (answer.error().code == Code::UnknownOutcome) ++unknown_;
  else if (answer.error().code != Code::Deadline) faults_.push_back(answer.error().message);
  if (faults_.empty()) append(journal);
  else --in_flight_;
}

void JournalWriter::look(Journal& journal) {
  store_.range({.prefix = event_key(journal.root, journal.events)}, loop_.now().monotonic + kLimit,
               [this, &journal](Result<ports::RangeResult> const& found) { on_looked(journal, found); });
}

void JournalWriter::on_looked(Journal& journal, Result<ports::RangeResult> const& found) {
  if (!found) return look(journal);
  auto const& items = found->items;
  if (items.empty() || items.front().value != tag(journal.root, journal.events)) {
    faults_.push_back(fmt::format("{} refuses event {}, and it is not there", journal.root, journal.events));
    --in_flight_;
    return;
  }
  ++resolved_;
  on_done(journal, items.front().mod_revision);
}

void JournalWriter::on_done(Journal& journal, std::int64_t revision) {
  ++acknowledged_;
  ++journal.events;
  newest_revision_ = std::max(newest_revision_, revision);
  if (is_finishing_) --in_flight_;
  else append(journal);
}

std::vector<std::string> JournalWriter::expected() const {
  std::vector<std::string> all;
  for (auto const& [root, events] : journals_) {
    for (std::int64_t event = 0; event < events; ++event) all.push_back(fmt::format("{}={}@1", event_key(root, event), tag(root, event)));
    all.push_back(fmt::format("{}head={}@{}", root, events - 1, events));
  }
  return all;
}

}  // namespace davit::conformance
