#include "core/ingress/listeners.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::ingress {
namespace {

// A port may be at more than one target while an update goes on; an instance is reached at the first that it has.
void add_backends(model::ServiceEntry const& entry, model::IngressPort const& wanted, std::string_view node, Listener& listener) {
  for (auto const& endpoint : entry.endpoints) {
    if (endpoint.target != wanted.target || endpoint.protocol != wanted.protocol) continue;
    if (std::ranges::find(listener.backends, endpoint.instance, &Backend::instance) != listener.backends.end()) continue;
    listener.backends.push_back({.instance = endpoint.instance,
                                 .address = endpoint.address,
                                 .port = endpoint.port,
                                 .is_local = endpoint.node == node,
                                 .proxy_protocol = wanted.proxy_protocol});
  }
}

void note_takers(std::string const& service, model::ServiceEntry const& entry, std::string_view node, std::map<Port, Listener>& all) {
  for (auto const& endpoint : entry.endpoints) {
    if (endpoint.node != node) continue;
    auto const found = all.find({endpoint.protocol, endpoint.port});
    if (found != all.end()) found->second.taken_by = fmt::format("{}.{}", service, endpoint.slot);
  }
}

}  // namespace

std::string to_string(Port port) { return fmt::format("{}/{}", port.number, model::to_string(port.protocol)); }

std::map<Port, Listener> listeners_of(model::Directory const& directory, std::string_view node) {
  std::map<Port, Listener> all;
  for (auto const& [name, entry] : directory.services) {
    for (auto const& wanted : entry->ingress) {
      auto& listener = all.try_emplace({wanted.protocol, wanted.published}, Listener{.service = name}).first->second;
      if (listener.service == name) add_backends(*entry, wanted, node, listener);
    }
  }
  if (all.empty()) return all;
  for (auto const& [name, entry] : directory.services) note_takers(name, *entry, node, all);
  return all;
}

}  // namespace davit::ingress
