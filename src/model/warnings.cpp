#include <fmt/core.h>

#include "model/syntax.hpp"
#include "model/validate.hpp"

namespace davit::model {

std::vector<Problem> warnings(ServiceSpec const& spec) {
  std::vector<Problem> all;
  if (is_unpinned(spec.image)) {
    all.push_back({"#/image", "unpinned_image", "the tag may mean another image tomorrow; name a version or a digest"});
  }
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    auto const& port = spec.ports[i];
    if (is_fixed_on_node(port) && spec.instances > 1) {
      all.push_back({fmt::format("#/ports/{}/published", i), "fixed_port",
                     fmt::format("each node has port {} once: at most one instance runs per node", *port.published)});
    }
  }
  for (std::size_t i = 0; i < spec.volumes.size(); ++i) {
    auto const& mount = spec.volumes[i];
    bool const is_nodes_own = mount.type == MountType::Bind || (mount.type == MountType::Volume && !mount.source.empty());
    if (is_nodes_own && spec.instances > 1) {
      all.push_back(
          {fmt::format("#/volumes/{}", i), "node_volume", "each node has its own; instances on different nodes see different data"});
    }
  }
  auto const obstacle = what_forbids_overlap(spec);
  if (!obstacle.empty() && spec.update_config.order != UpdateOrder::StopFirst) {
    bool const is_asked_for = spec.update_config.order == UpdateOrder::StartFirst;
    all.push_back({is_asked_for ? "#/update_config/order" : "#", "updates_stop_first",
                   fmt::format("updates stop each instance before its successor starts, because of {}", obstacle)});
  }
  for (auto const* const key : {"DAVIT_SERVICE", "DAVIT_SLOT", "DAVIT_INSTANCE_ID", "DAVIT_NODE_NAME"}) {
    if (spec.environment.items.contains(key)) {
      all.push_back({fmt::format("#/environment/{}", key), "own_environment", "Davit sets this itself; your value is not seen"});
    }
  }
  return all;
}

}  // namespace davit::model
