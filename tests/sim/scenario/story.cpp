#include "sim/scenario/story.hpp"

#include <algorithm>
#include <regex>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "codec/records.hpp"

namespace davit::sim {
namespace {

std::string name_of(NodeId node) { return node.value > 200 ? fmt::format("w{}", node.value - 200) : fmt::format("m{}", node.value - 100); }

// Sessions are called by their masters: "m1-1.1".
std::string master_of(std::string const& session) { return session.substr(0, session.find('-')); }

std::string without_ids(std::string const& text) {
  static std::regex const instance(R"((\w+\.\d+)\.[0-9a-z]{12}(\.\d+)?)");
  return std::regex_replace(text, instance, "$1");
}

std::string reason_of(model::JournalEvent const& event) {
  return std::visit(
      [](auto const& body) -> std::string {
        if constexpr (requires { body.message; }) return body.message.empty() ? "" : ": " + without_ids(body.message);
        else return "";
      },
      event.body);
}

}  // namespace

void Story::begin() {
  is_begun_ = true;
  begin_ = loop_.now().monotonic;
  granted_.clear();
  taken_.clear();
}

void Story::add(std::string const& head, std::string const& tail) {
  if (!is_begun_) return;
  auto const at = (loop_.now().monotonic - begin_) / 100ms;
  if (!lines_.empty() && lines_.back().tenths == at && lines_.back().head == head && !head.empty()) lines_.back().tails.insert(tail);
  else lines_.push_back({at, head, {tail}});
}

std::string Story::text() const {
  std::string text;
  for (auto const& line : lines_)
    text += fmt::format("{:5}.{}  {}{}\n", line.tenths / 10, line.tenths % 10, line.head, fmt::join(line.tails, ", "));
  return text;
}

void Story::on_command(std::string const& text) { add("", "> " + text); }
void Story::on_failed(std::string const& text) { add("", "FAILED: " + text); }
void Story::on_session_ended(std::string const& master) { add("", fmt::format("{}'s session ends", master)); }

void Story::on_run(ContainerRun const& run, model::ContainerDetail const* ended) {
  if (!run.to) return add("starts: ", fmt::format("{} r{} on {}", slot_name(run), run.revision, run.node));
  auto const how = ended ? fmt::format("exit {}", ended->exit_code) : std::string("removed");
  add("ends: ", fmt::format("{} on {} ({})", slot_name(run), run.node, how));
}

void Story::on_answer(std::string const& request, Result<model::Applied> const& outcome) {
  if (!outcome) return add("", fmt::format("answer to {}: {}: {}", request, to_string(outcome.error().code), outcome.error().message));
  auto const how = outcome->replayed ? " (carried out before)" : outcome->unchanged ? " (unchanged)" : "";
  add("", fmt::format("answer to {}: done, generation {}{}", request, outcome->generation, how));
}

// ---- the store

void Story::on_committed(ports::Commit const& commit, ports::Committed const&) {
  for (auto const& operation : commit.operations) {
    if (auto const* erase = std::get_if<ports::Erase>(&operation)) {
      if (auto const slot = model::slot_of(erase->key)) add("slots freed: ", fmt::format("{}.{}", slot->first, slot->second));
      continue;
    }
    auto const& put = std::get<ports::Put>(operation);
    auto const record = codec::decode_record(put.key, put.value);
    if (record) std::visit([this](auto const& each) { on(each); }, *record);
  }
}

void Story::on(model::NodeRecord const& record) {
  auto const known = nodes_.find(record.id);
  if (known != nodes_.end()) {
    auto const& before = known->second;
    if (before.status != record.status) {
      auto const life = before.incarnation != record.incarnation ? fmt::format(", in life {}", record.incarnation) : std::string{};
      add("", fmt::format("{} is {}{}", record.name, model::to_string(record.status), life));
    }
    if (before.availability != record.availability)
      add("", fmt::format("{} is set to {}", record.name, model::to_string(record.availability)));
  }
  nodes_[record.id] = record;
}

void Story::on(model::ShardRecord const& record) {
  auto const master = master_of(record.session);
  ++granted_[master];
  taken_[master].push_back(record.shard.value);
}

void Story::on(model::CoordinatorRecord const& record) { add("", fmt::format("{} is coordinator", name_of(record.master))); }

void Story::on(model::SuspectsRecord const& record) {
  if (hold_ == record.hold) return;
  hold_ = record.hold;
  add("", hold_.empty() ? "nothing is held back any more" : "held back: " + hold_);
}

void Story::on(model::EventRecord const& record) {
  auto const& head = journals_.heads().at(record.service);
  add("", fmt::format("{}: {}, generation {}, revision {}{}", record.service, model::event_type(record.event.body), head.generation,
                      head.revision, reason_of(record.event)));
}

void Story::on(model::GoneRecord const& record) { add("", fmt::format("{}: gone", record.service)); }

void Story::on(model::SlotRecord const& record) {
  names_[record.instance] = fmt::format("{}.{}", record.service, record.slot);
  add("slots given: ", fmt::format("{}.{} to {} in life {}", record.service, record.slot, name_of(record.node), record.incarnation));
}

void Story::look() {
  for (auto const& [master, number] : granted_) {
    std::string services;
    for (auto const& [name, head] : journals_.heads()) {
      if (std::ranges::count(taken_[master], shard_of(name).value) > 0) services += (services.empty() ? "" : " and ") + name;
    }
    add("granted: ", fmt::format("{} shards{} to {}", number, services.empty() ? "" : " with " + services, master));
  }
  granted_.clear();
  taken_.clear();
}

// ---- words

void Story::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) {
  if (auto const* run = std::get_if<model::RunInstance>(&message)) {
    names_[run->id] = fmt::format("{}.{}", run->service, run->slot);
    if (offered_.insert(run->id).second) add(name_of(master) + " offers ", fmt::format("{} to {}", names_[run->id], name_of(agent)));
  }
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (!stop || !ordered_.emplace(stop->id, agent.value).second) return;
  auto const why = stop->reason == model::Reason::None ? std::string{} : fmt::format(" ({})", model::to_string(stop->reason));
  add(fmt::format("{} stops ", name_of(master)), fmt::format("{} on {}{}", slot_of(stop->id), name_of(agent), why));
}

void Story::on_sent_to_peer(NodeId master, NodeId, model::PeerMessage const& message) {
  if (auto const* relayed = std::get_if<model::RelayToAgent>(&message)) on_sent_to_agent(master, relayed->node, relayed->message);
}

void Story::on_sent_by_agent(NodeId agent, NodeId, model::ToMaster const& message) {
  auto const* verdict = std::get_if<model::Verdict>(&message);
  if (verdict && !verdict->admitted)
    add("", fmt::format("{} refuses {}: {}", name_of(agent), slot_of(verdict->id), without_ids(verdict->message)));
}

void Story::on_noted(NodeId process, std::string const& text) { add(name_of(process) + " notes: ", without_ids(text)); }

std::string Story::slot_of(InstanceId instance) const {
  auto const found = names_.find(instance);
  return found == names_.end() ? "an unknown instance" : found->second;
}

}  // namespace davit::sim
