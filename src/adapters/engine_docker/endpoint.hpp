// Where the engine is, as the docker command would find it: the --docker-host argument, DOCKER_HOST, DOCKER_CONTEXT or the
// current context of docker's configuration, else the usual socket.
#pragma once

#include <string>

#include "adapters/engine_docker/docker_config.hpp"
#include "base/result.hpp"
#include "http/client.hpp"

namespace davit::engine_docker {

struct EngineAddress {
  http::Endpoint endpoint;
  http::TlsFiles tls;  // where endpoint.tls is set
};

// unix:// and tcp://, with TLS where DOCKER_TLS_VERIFY, DOCKER_TLS or the context's certificates say so. Code::Unsupported for
// ssh:// and others; the message says where the setting came from.
Result<EngineAddress> find_endpoint(std::string const& docker_host_argument, Environment const& environment);

}  // namespace davit::engine_docker
