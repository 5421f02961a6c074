// From a spec to the body of POST /containers/create. Pure.
#pragma once

#include <optional>

#include "adapters/engine_docker/api_version.hpp"
#include "adapters/engine_docker/container_dns.hpp"
#include "codec/value.hpp"
#include "model/engine.hpp"

namespace davit::engine_docker {

codec::Value create_body(model::CreateContainer const& wanted, ApiVersion version, std::optional<ContainerDns> const& dns = {});

}  // namespace davit::engine_docker
