// Nodes as JSON (api.md: GET /members, GET /nodes). Control thread.
#pragma once

#include "codec/value.hpp"
#include "core/master/master.hpp"

namespace davit::api {

codec::Value render_member(master::Master const& master, master::Node const& node);
codec::Value render_node(master::Master const& master, master::Node const& node);

}  // namespace davit::api
