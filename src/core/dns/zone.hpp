// The directory as names with records. Services are turned into records when somebody asks for them, and again when they have changed.
// Owned by the Responder; its thread. Pure but for that memory.
//
//   web.davit              the addresses of its ready instances' nodes; SRV: each of their ports
//   _http._tcp.web.davit   SRV: the ports of that name, or target number (_80._tcp)
//   2.web.davit            the same of slot 2
//   n1.node.davit          a node's address
//   k3v9x1c0qp7d.web.davit an instance: what SRV records point to where its address is not its node's
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/address.hpp"
#include "core/dns/name.hpp"
#include "model/directory.hpp"

namespace davit::dns {

struct Target {
  Name name;
  Address address;
};

// A port of an instance.
struct Server {
  std::uint32_t slot = 0;
  InstanceId instance;
  std::uint16_t port = 0;
  Target const* target = nullptr;
};

template <class T>
struct Ring {
  std::vector<T> all;
  std::uint32_t turn = 0;  // how often they were given: each time another one comes first
};

// All that one name has. None of any: the name exists, or one below it does.
struct Records {
  Ring<Address> v4;  // each once
  Ring<Address> v6;
  Ring<Server> servers;
};

class Zone {
 public:
  explicit Zone(Name domain) : domain_(domain) {}

  Name const& domain() const { return domain_; }
  bool is_known() const { return directory_ != nullptr; }
  std::uint32_t serial() const { return serial_; }
  void show(std::shared_ptr<model::Directory const> directory);
  // Of a name within the domain; null: there is no such name. Valid until the next call.
  Records* find(Name const& name);

 private:
  struct Service {
    std::shared_ptr<model::ServiceEntry const> entry;  // what the rest was made of
    std::uint32_t nodes_version = 0;
    std::map<std::string, Target> targets;                // servers point to them
    Records all;                                          // servers by slot
    std::map<std::string, Records, std::less<>> by_port;  // "_http._tcp"; "_tcp" has none
  };

  Records* find_node(Name const& name);
  Records* find_in_service(Name const& name, std::string_view service);
  Records* of_first(Service& service, std::string_view label);
  template <class Range>
  Records* only(Range const& servers);
  Service* service(std::string_view name);
  void make(Service& service, std::string_view name) const;
  void add(Service& service, std::string_view name, model::Endpoint const& endpoint) const;
  Target const* target(Service& service, std::string_view name, model::Endpoint const& endpoint, Address const& address) const;
  void show_nodes();

  Name domain_;
  std::shared_ptr<model::Directory const> directory_;
  std::uint32_t serial_ = 0;
  std::uint32_t nodes_version_ = 0;
  std::map<std::string, Service, std::less<>> services_;  // those that were asked for
  std::map<std::string, Records, std::less<>> nodes_;     // in lower case, and the ends of names that have dots
  Records some_;                                          // what was made for one question
};

}  // namespace davit::dns
