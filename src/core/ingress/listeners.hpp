// What a node is to listen on, and where the connections may go: taken from the cluster's directory. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "model/directory.hpp"

namespace davit::ingress {

// A port of this node.
struct Port {
  model::Protocol protocol = model::Protocol::Tcp;
  std::uint16_t number = 0;
  friend auto operator<=>(Port const&, Port const&) = default;
};
std::string to_string(Port port);  // "8080/tcp"

// A ready instance that a connection may be carried to. An instance keeps its address for as long as it is in the directory.
struct Backend {
  InstanceId instance;
  std::string address;
  std::uint16_t port = 0;
  bool is_local = false;        // on this node
  bool proxy_protocol = false;  // it is told the client's address first
  friend auto operator<=>(Backend const&, Backend const&) = default;
};

struct Listener {
  std::string service;
  std::vector<Backend> backends;  // by slot, each instance once; none: nothing of the service is ready
  std::string taken_by;           // an instance on this node that was given the port before, as "web.2"; empty: none is known
  friend bool operator==(Listener const&, Listener const&) = default;
};

// Of two services that name the same port, which masters see to, the first by name has it.
std::map<Port, Listener> listeners_of(model::Directory const& directory, std::string_view node);

}  // namespace davit::ingress
