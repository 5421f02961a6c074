// The PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt): what a connection that was carried here begins with.
#pragma once

#include <string>

#include "adapters/ingress/address.hpp"

namespace davit::ingress {

// Of a TCP connection from `client` to `server`, which are of one family.
std::string proxy_header(Address const& client, Address const& server);

}  // namespace davit::ingress
