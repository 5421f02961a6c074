// Who this node is: from its disk; where that was lost, from the labels of its containers (protocol: commands, adoption); else it is new.
#pragma once

#include <filesystem>
#include <functional>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/agent_state.hpp"
#include "ports/engine.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

// What is asked where containers are here that may be this node's. Both wait for the answer.
struct ClusterQuestions {
  std::function<Result<ClusterId>()> which;        // that this node is started for
  std::function<bool(NodeId)> is_connected;  // another process is that node already: two may share an engine
};

// `engine` may be null: a node that runs none has no containers. What is found or made is on the disk before this returns; nothing is
// where the engine does not tell which containers are here.
Result<model::AgentState> find_identity(runtime::AsioLoop& loop, std::filesystem::path const& data_dir, ports::Engine* engine,
                                        ClusterQuestions const& ask);

}  // namespace davit::app
