// Room on nodes as a master's view shows it, counted node by node: beside the index by which masters place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/master/master.hpp"

namespace davit::sim {

// How many more instances of the service's current revision the nodes would take once what is to stop has left, at most `most`. Of other
// services those count that `counts`. A slot that is bound to a node has only that one.
std::size_t room_for_more(master::Master const& view, master::Service const& service, std::uint32_t slot,
                          std::function<bool(InstanceId)> const& counts, std::size_t most);

}  // namespace davit::sim
