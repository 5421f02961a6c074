// Nodes as JSON (api.md: GET /members, GET /nodes). Control thread.
#pragma once

#include "codec/value.hpp"
#include "core/master/state.hpp"

namespace davit::api {

codec::Value render_member(master::Node const& node);
codec::Value render_node(master::Node const& node);

}  // namespace davit::api
