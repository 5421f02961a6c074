#include "adapters/link_grpc/cluster_query.hpp"

#include <utility>

namespace davit::link_grpc {

ClusterQuery::ClusterQuery(ports::Loop& loop, Options options)
    : client_(loop),
      dialler_(loop, client_, std::string(kClusterMethod), std::move(options.tls), &Wire::decode_from_master,
               [caller = std::move(options.caller)] { return metadata_of(caller); },
               {.on_joined = [this](Accepted const& accepted) { answer_ = accepted.cluster; },
                .on_message = [](NodeId, FromMaster const&) {},
                .on_left = [](NodeId) {},
                .on_refused = std::move(options.on_refused)}) {
  dialler_.keep_connected(options.masters);
}

}  // namespace davit::link_grpc
