// Nodes as JSON (api.md: GET /members, GET /nodes). Control thread.
#pragma once

#include "codec/value.hpp"
#include "core/master/master.hpp"
#include "model/records.hpp"

namespace davit::api {

codec::Value render_master(model::MasterRecord const& record);  // of one that runs no instances
codec::Value render_member(master::Master const& master, master::Node const& node);
codec::Value render_node(master::Master const& master, master::Node const& node);

}  // namespace davit::api
