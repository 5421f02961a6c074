#include "app/node_identity.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "app/data_dir.hpp"
#include "app/host.hpp"
#include "core/agent/ownership.hpp"
#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kSaveLimit = 10s;
constexpr Duration kListLimit = 10s;
constexpr Duration kLookAgain = 1s;
constexpr Duration kEngineLimit = 60s;

void warn(std::string const& text) { runtime::logger("agent").warn("{}", text); }

Result<std::set<agent::Owner>> owners_here(runtime::AsioLoop& loop, ports::Engine& engine) {
  auto const give_up_at = loop.now().monotonic + kEngineLimit;
  bool is_told = false;
  while (true) {
    std::optional<Result<model::EngineReply>> reply;
    engine.call(model::ListContainers{}, loop.now().monotonic + kListLimit, [&reply](auto outcome) { reply = std::move(outcome); });
    static_cast<void>(loop.run_until([&reply] { return reply.has_value(); }, kListLimit + 1s));
    if (reply && *reply) return agent::owners_of(std::get<model::ContainerList>(**reply));
    if (loop.now().monotonic >= give_up_at) break;
    if (!std::exchange(is_told, true))
      warn(
          "this node has no state on its disk, and the engine does not tell whether there are containers from an earlier life; waiting for "
          "it");
    static_cast<void>(loop.run_until([] { return false; }, kLookAgain));
  }
  return fail(Code::Unavailable,
              "the engine does not tell which containers are here, so this node cannot know whether it is a new one: start "
              "the engine, then davit");
}

Result<model::AgentState> identify_by_containers(runtime::AsioLoop& loop, ports::Engine* engine, ClusterQuestions const& ask) {
  model::AgentState state{.node = {random_id60()}};
  if (!engine) return state;
  TRY(auto const owners, owners_here(loop, *engine));
  if (owners.empty()) return state;
  warn("this node has no state on its disk, but there are containers of davit: asking for the cluster whether they are its own");
  TRY(auto const cluster, ask.which());
  std::vector<NodeId> nodes;
  for (auto const& owner : owners) {
    if (owner.cluster == cluster) nodes.push_back(owner.node);
  }
  if (nodes.empty()) return state;
  if (nodes.size() > 1) {
    warn(fmt::format("containers of {} nodes of this cluster are here: this one joins as a new node, and they stay as they are",
                     nodes.size()));
  } else if (ask.is_connected(nodes.front())) {
    warn(fmt::format("they belong to node {}, which is connected: this one joins as a new node", to_string(nodes.front())));
  } else {
    state.node = nodes.front();
    state.cluster = cluster;
    warn(fmt::format("this node is {} again, by the labels of its containers", to_string(state.node)));
  }
  return state;
}

Status save(runtime::AsioLoop& loop, std::filesystem::path const& data_dir, model::AgentState const& state) {
  AgentStateFile file(loop, data_dir);
  std::optional<Status> outcome;
  file.save(state, [&outcome](Status status) { outcome = std::move(status); });
  static_cast<void>(loop.run_until([&outcome] { return outcome.has_value(); }, kSaveLimit));
  return outcome.value_or(fail(Code::Deadline, fmt::format("{} does not take this node's state", data_dir.string())));
}

}  // namespace

Result<model::AgentState> find_identity(runtime::AsioLoop& loop, std::filesystem::path const& data_dir, ports::Engine* engine,
                                        ClusterQuestions const& ask) {
  TRY(auto saved, load_agent_state(data_dir));
  if (saved) return *std::move(saved);
  TRY(auto state, identify_by_containers(loop, engine, ask));
  TRY_VOID(save(loop, data_dir, state));
  return state;
}

}  // namespace davit::app
