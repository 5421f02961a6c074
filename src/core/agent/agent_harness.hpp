// The agent's machine alone, with an engine that does at once what it is asked to, and one master. What it asks for beyond that is kept.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/agent/agent.hpp"

namespace davit::agent {

inline constexpr NodeId kMaster{1};
inline constexpr ServiceUid kUid{1, 42};
inline constexpr Duration kStopAfter = 15s;
inline constexpr Fence kFence{{3}, {1, 7}};

class AgentTest : public testing::Test {
 protected:
  AgentTest() { start_agent(); }

  void start_agent() {
    Options options{.has_registry = has_registry_, .has_guard = has_guard_, .boot = "b1", .leases = file_};
    options.facts.name = "n1";
    options.facts.address = "10.0.0.1";
    agent_.emplace(std::move(options), durable_);
    is_saving_ = is_writing_ = false;
    step(EngineHinted{model::EngineUp{}});
    step(MasterJoined{kMaster});
    tell(model::Welcome{.cluster = {9}, .incarnation = 1, .masters = {}});
    tell(model::FenceShards{.round = 1, .fences = {kFence}});
  }

  void step(Event const& event) {
    std::deque<Event> events{event};
    for (int i = 0; !events.empty() && i < 1000; ++i) {
      Actions actions;
      agent_->step(now_, events.front(), actions);
      events.pop_front();
      for (auto const& action : actions) perform(action, events);
      if (events.empty() && agent_->wake_at() <= now_.monotonic) events.push_back(Tick{});
    }
    EXPECT_THAT(events, testing::IsEmpty()) << "it does not come to rest";
  }
  void tell(model::ToAgent message) { step(FromMaster{kMaster, std::move(message)}); }
  void pass(Duration time) {
    for (auto const end = now_.monotonic + time; now_.monotonic < end;) {
      now_.monotonic += 100ms;
      now_.wall += 100ms;
      step(Tick{});
    }
  }
  void grant(std::uint64_t incarnation = 1) {
    tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{now_.monotonic, incarnation}});
  }
  static model::RunInstance offer(std::uint64_t token, std::uint64_t incarnation = 1, InstanceId id = {77}) {
    auto spec = std::make_shared<model::ServiceSpec>();
    spec->image = "a";
    spec->on_isolation = model::OnIsolation::Stop;
    return {.fence = kFence,
            .incarnation = incarnation,
            .id = id,
            .uid = kUid,
            .service = "web",
            .slot = 1,
            .revision = 1,
            .spec = spec,
            .digest = {},
            .token = token,
            .stop_after = kStopAfter};
  }
  static model::StopInstance stop(std::uint64_t token, InstanceId id = {77}) {
    return {kFence, id, kUid, 1, model::Reason::ScaledDown, token};
  }

  template <class M>
  std::vector<M> take() {
    std::vector<M> found;
    for (auto const& message : std::exchange(said_, {})) {
      if (auto const* each = std::get_if<M>(&message)) found.push_back(*each);
    }
    return found;
  }
  std::vector<std::string> running() const {
    std::vector<std::string> ids;
    for (auto const& [id, container] : containers_) {
      if (container.state == model::ContainerState::Running) ids.push_back(id);
    }
    return ids;
  }
  model::InstanceReport last_report() {
    auto const reports = take<model::InstanceChanged>();
    EXPECT_FALSE(reports.empty());
    return reports.empty() ? model::InstanceReport{} : reports.back().report;
  }

  void perform(Action const& action, std::deque<Event>& events) {
    if (auto const* call = std::get_if<Call>(&action)) {
      events.push_back(CallDone{call->op, std::visit([this](auto const& what) { return on(what); }, call->what)});
    } else if (auto const* sent = std::get_if<Send>(&action)) {
      said_.push_back(sent->message);
    } else if (auto const* save = std::get_if<SaveState>(&action)) {
      being_saved_ = save->state;
      is_saving_ = true;
      if (!holds_saves_) events.push_back(saved());
    } else if (auto const* write = std::get_if<WriteLeases>(&action)) {
      being_written_ = write->all;
      is_writing_ = true;
      ++writes_;
      if (!holds_writes_) events.push_back(written());
    } else if (auto const* probe = std::get_if<Probe>(&action)) {
      probe_op_ = probe->op;
    } else if (auto const* asked = std::get_if<AskRegistry>(&action)) {
      if (!is_registry_silent_) events.push_back(RegistryAnswered{{asked->what.op, answer(asked->what.what)}});
    }
  }
  Result<model::RegistryReply> answer(model::RegistryCall const& call) {
    model::RegistryEntries list;
    if (auto const* registered = std::get_if<model::RegisterEntry>(&call))
      registered_[registered->entry.id] = registered->entry, ++registrations_;
    if (auto const* removed = std::get_if<model::DeregisterEntry>(&call)) registered_.erase(removed->id);
    if (!std::holds_alternative<model::ListEntries>(call)) return model::RegistryDone{};
    for (auto const& [id, entry] : registered_) list.all.push_back(entry);
    return list;
  }
  StateSaved saved() {
    is_saving_ = false;
    durable_ = being_saved_;
    return {};
  }
  LeasesWritten written() {
    is_writing_ = false;
    file_ = being_written_;
    return {};
  }

  using Reply = Result<model::EngineReply>;
  Reply on(model::InspectImage const&) { return model::ImageDetail{.id = "i", .repo_digests = {}}; }
  Reply on(model::PullImage const&) { return model::Pulled{}; }
  Reply on(model::CreateContainer const& call) {
    environment_ = call.environment;
    auto const taken_name = fail(Code::Exists, "the name is in use", std::string(model::engine_error::kNameInUse));
    if (std::exchange(is_name_taken_, false)) return taken_name;
    for (auto const& [taken, container] : containers_) {
      if (container.name == call.name) return taken_name;
    }
    auto const id = "c" + std::to_string(++creations_);
    auto& container = containers_[id];
    container.id = id;
    container.name = call.name;
    container.labels = call.labels;
    container.ports = call.ports;
    return model::Created{id, {}};
  }
  Reply on(model::StartContainer const& call) {
    bool const is_leased = environment_.contains("DAVIT_FENCING_TOKEN");
    if (is_leased) EXPECT_THAT(leased_containers(), testing::Contains(call.id)) << "started before the guard knows of it";
    containers_.at(call.id).state = model::ContainerState::Running;
    return model::Acknowledged{};
  }
  Reply on(model::StopContainer const& call) {
    graces_.push_back(call.grace);
    containers_.at(call.id).state = model::ContainerState::Exited;
    return model::Acknowledged{};
  }
  Reply on(model::KillContainer const&) { return model::Acknowledged{}; }
  Reply on(model::RemoveContainer const& call) {
    if (fails_removals_) return fail(Code::Internal, "the engine failed");
    containers_.erase(call.id);
    return model::Acknowledged{};
  }
  Reply on(model::InspectContainer const& call) {
    EXPECT_FALSE(call.id_or_name.empty());
    for (auto const& [id, container] : containers_) {
      if (id == call.id_or_name || container.name == call.id_or_name) return container;
    }
    return fail(Code::NotFound, "no such container", std::string(model::engine_error::kNoSuchContainer));
  }
  Reply on(model::ListContainers const&) {
    model::ContainerList list;
    for (auto const& [id, container] : containers_) list.all.push_back({id, container.name, container.labels, container.state});
    return list;
  }
  Reply on(model::ReadStats const& call) {
    measured_.push_back(call.id);
    return stats_;
  }
  Reply on(model::ReadEngineInfo const&) { return model::EngineInfo{"27", "1.46", "linux/amd64", 4, {8LL << 30}}; }
  std::vector<std::string> leased_containers() const {
    std::vector<std::string> ids;
    for (auto const& lease : file_) ids.push_back(lease.container);
    return ids;
  }

  Now now_{.monotonic = Monotonic{} + 1000s, .wall = Wall{} + 1h};
  model::AgentState durable_{.node = {5}};
  model::AgentState being_saved_;
  std::vector<model::ContainerLease> file_;
  std::vector<model::ContainerLease> being_written_;
  std::map<std::string, model::ContainerDetail> containers_;
  std::map<std::string, std::string> environment_;
  std::vector<Duration> graces_;
  std::vector<std::string> measured_;  // what it was asked the use of
  Reply stats_ = model::ContainerStats{};
  std::vector<model::ToMaster> said_;
  std::map<std::string, model::RegistryEntry> registered_;
  int creations_ = 0;
  int registrations_ = 0;
  OpId probe_op_ = 0;  // the last that it asked for
  bool has_registry_ = false;
  bool is_registry_silent_ = false;
  bool has_guard_ = true;
  bool is_name_taken_ = false;  // of the next container, by one that is gone when it is looked for
  bool fails_removals_ = false;
  bool holds_saves_ = false;
  bool holds_writes_ = false;
  bool is_saving_ = false;
  bool is_writing_ = false;
  int writes_ = 0;
  std::optional<Agent> agent_;
};

}  // namespace davit::agent
