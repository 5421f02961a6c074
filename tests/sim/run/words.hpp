// What processes say to each other, to the engine and to the store, in words for a trace.
#pragma once

#include <string>

#include "model/engine.hpp"
#include "model/link.hpp"
#include "model/peer.hpp"
#include "ports/store.hpp"

namespace davit::sim {

std::string words_of(model::ToAgent const& message);
std::string words_of(model::ToMaster const& message);
std::string words_of(model::PeerMessage const& message);
std::string words_of(model::EngineCall const& call);
std::string words_of(ports::Commit const& commit);

}  // namespace davit::sim
