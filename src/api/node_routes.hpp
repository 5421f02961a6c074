// Nodes, and the server itself: its health, version, metrics and description. Control thread.
#pragma once

#include <string_view>

#include "api/call.hpp"

namespace davit::api {

http::Response list_members(Call const& call);
http::Response list_nodes(Call const& call);
http::Response get_node(Call const& call);  // by name or id
master::Node const* find_node(master::Master const& master, std::string_view name_or_id);  // null: there is none

// 200 when writes are taken and this node's engine answers.
http::Response get_health(Call const& call);
http::Response get_version(Call const& call);
http::Response get_metrics(Call const& call);
http::Response get_openapi(Call const& call);

}  // namespace davit::api
