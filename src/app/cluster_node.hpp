// `davit master` and `davit worker`: a node of a cluster, over etcd and the gRPC link. Made and run by main; control thread.
#pragma once

#include "app/settings.hpp"
#include "base/result.hpp"

namespace davit::app {

// Each runs until SIGTERM or SIGINT; gives the exit code. What keeps it from starting is an Error.
Result<int> run_master(Settings const& settings);
Result<int> run_worker(Settings const& settings);

}  // namespace davit::app
