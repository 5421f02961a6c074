// The store's values and the agent's state file as bytes and back: canonical JSON, the same bytes for the same value for
// ever. tests/golden/ holds bytes of every released format. Any thread.
//
// Reading is strict, because a field that is overlooked is a promise that is broken: what this version does not know is
// refused as written by a newer davit. What is missing has its default, so that fields can be added.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/agent_state.hpp"
#include "model/records.hpp"

namespace davit::codec {

std::string encode_record(model::Record const& record);

// The key says which record it is, and must be the one that the content belongs under. Errors: Unsupported where a newer
// davit wrote it, Invalid where nobody did.
Result<model::Record> decode_record(std::string_view key, std::string_view bytes);

std::string encode_agent_state(model::AgentState const& state);
Result<model::AgentState> decode_agent_state(std::string_view bytes);

}  // namespace davit::codec
