// Who is on this host, as the kernel shows it. Blocks for a fraction of a millisecond; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/dns/address.hpp"

namespace davit::dns_server {

// Its addresses, and the networks of those bridges whose ports are all containers'. Behind others (a network card, a VLAN) are other
// machines.
dns::Neighbourhood read_neighbourhood();

// The first IPv4 address of an interface.
std::optional<dns::Address> address_of_interface(std::string const& name);

}  // namespace davit::dns_server
