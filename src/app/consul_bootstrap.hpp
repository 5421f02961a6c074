// Who the others are, from nothing but Consul's address: etcd's members for a master, masters for a worker.
#pragma once

#include "app/settings.hpp"
#include "base/result.hpp"

namespace davit::app {

// Puts into the settings what they leave to Consul; waits until Consul knows it. A node that ran before goes on with what it knew then,
// if Consul does not answer within seconds: so that Consul is needed for the first start only. Called with the data directory locked.
Status find_etcd_by_consul(Settings& settings);
Status find_masters_by_consul(Settings& settings);

}  // namespace davit::app
