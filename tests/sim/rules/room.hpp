// Room on nodes as a master's view shows it, counted node by node: beside the index by which masters place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/master/master.hpp"

namespace davit::sim {

// Whether what counts on its node still does.
using Stands = std::function<bool(master::Service const&, service::Instance const&)>;

// How many more instances of the service's current revision the nodes would take beside what stands, at most `most`. A slot that is bound
// to a node has only that one.
std::size_t room_for_more(master::Master const& view, master::Service const& service, std::uint32_t slot, Stands const& stands,
                          std::size_t most);

}  // namespace davit::sim
