// Where clients find a service: the published ports of its ready instances, as every way of discovery tells them. Pure.
#pragma once

#include <vector>

#include "core/master/master.hpp"
#include "model/directory.hpp"

namespace davit::master {

// By slot and instance. Nothing of nodes that are down or about to be, and no port that only its own node can reach. A node whose agent is
// away for a moment keeps what was seen of it last: its containers serve on; and so do all that no master hears while they are most of all.
std::vector<model::Endpoint> endpoints_of(Master const& master, Service const& service);

// What every node listens on for the service: the ports of its spec, each once for each target that instances of its revisions have it at,
// the current one first, so that it reaches the old ones too while an update goes on. Not those that an older service has.
std::vector<model::IngressPort> ingress_of(Master const& master, Service const& service);

}  // namespace davit::master
