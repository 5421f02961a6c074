// Sockets that listen on a port of this node, on all its addresses.
#pragma once

#include <string>

#include "base/result.hpp"
#include "core/ingress/listeners.hpp"
#include "runtime/fd.hpp"

namespace davit::ingress {

// Non-blocking. Over IPv6 and IPv4 at once where the kernel has both. Code::Exists: somebody has the port; Code::Invalid: this process may
// not have it.
Result<runtime::Fd> listen_on(Port port);

// Of a TCP socket: no waiting for more to send, and who has vanished without a word is noticed after some two minutes, though a connection
// may rest for days. A socket that is accepted has it from the one that listens.
void tune(int socket);

// The process that has the port, as "nginx (process 4711)"; empty where that cannot be seen, as without root's rights. Reads all of /proc,
// which may take a second.
std::string holder_of_blocking(Port port);

}  // namespace davit::ingress
