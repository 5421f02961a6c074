// Where clients find the services of the cluster: the published ports of their ready instances, as every way of discovery tells them.
// Masters make it and tell it to every agent, so that each node answers its own containers, also when no master lives.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/spec.hpp"

namespace davit::model {

// One port of one ready instance.
struct Endpoint {
  InstanceId instance;
  std::uint32_t slot = 0;
  std::string node;     // its name
  std::string address;  // what clients connect to
  std::uint16_t port = 0;
  std::uint16_t target = 0;  // the container's port
  std::string name;          // of the port in the spec; may be empty
  Protocol protocol = Protocol::Tcp;
  friend bool operator==(Endpoint const&, Endpoint const&) = default;
};

// A port that every node listens on for the service, and carries to one of its endpoints with that target and protocol.
struct IngressPort {
  std::uint16_t published = 0;
  std::uint16_t target = 0;
  Protocol protocol = Protocol::Tcp;
  bool proxy_protocol = false;  // the instance is told the client's address first (PROXY protocol, version 2)
  friend bool operator==(IngressPort const&, IngressPort const&) = default;
};

struct ServiceEntry {
  std::vector<Endpoint> endpoints;  // by slot and instance; none: the service exists, and nothing of it is ready
  std::vector<IngressPort> ingress;
  friend bool operator==(ServiceEntry const&, ServiceEntry const&) = default;
};

// A value that is never changed once it was handed out: others read it on their own threads.
struct Directory {
  std::map<std::string, std::shared_ptr<ServiceEntry const>, std::less<>> services;
  std::map<std::string, std::string, std::less<>> nodes;  // name to advertised address, of those that are not down
};

// What has become of a service since it was told last.
struct ServiceChange {
  struct OfInstance {
    InstanceId instance;
    std::vector<Endpoint> endpoints;  // all that it has now; none: it is not ready any more, or gone
    friend bool operator==(OfInstance const&, OfInstance const&) = default;
  };
  std::string name;
  bool is_gone = false;  // there is no such service any more
  std::vector<OfInstance> instances;                // those that have changed
  std::optional<std::vector<IngressPort>> ingress;  // absent: as before
  friend bool operator==(ServiceChange const&, ServiceChange const&) = default;
};
struct NodeChange {
  std::string name;
  std::string address;  // empty: it is down or gone
  friend bool operator==(NodeChange const&, NodeChange const&) = default;
};

// `before` null: it is new. Nothing: they are the same.
std::optional<ServiceChange> difference(std::string const& name, ServiceEntry const* before, ServiceEntry const& after);
std::vector<NodeChange> difference(decltype(Directory::nodes) const& before, decltype(Directory::nodes) const& after);
void apply(Directory& directory, ServiceChange const& change);
void apply(Directory& directory, NodeChange const& change);

}  // namespace davit::model
