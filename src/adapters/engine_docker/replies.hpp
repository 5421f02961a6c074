// From the engine's JSON to the model's values. Pure. Fields come and go with engine versions: an absent one is a default,
// an unknown one is nothing.
#pragma once

#include "adapters/engine_docker/api_version.hpp"
#include "codec/value.hpp"
#include "model/engine.hpp"

namespace davit::engine_docker {

model::ContainerDetail read_container(codec::Value const& inspected);
model::ContainerList read_list(codec::Value const& listed);
model::ImageDetail read_image(codec::Value const& inspected);
model::ContainerStats read_stats(codec::Value const& sample);
model::EngineInfo read_info(codec::Value const& version, codec::Value const& info, ApiVersion negotiated);
model::Created read_created(codec::Value const& created);

bool has_tty(codec::Value const& inspected_container);

}  // namespace davit::engine_docker
