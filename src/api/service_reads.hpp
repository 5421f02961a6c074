// GET on services: from the master's memory. Control thread.
#pragma once

#include <optional>

#include "api/call.hpp"

namespace davit::api {

http::Response list_services(Call const& call);
http::Response get_service(Call const& call);
http::Response explain_service(Call const& call);
boost::asio::awaitable<http::Response> async_get_history(Call call);
// Any number of instances: pieces are rendered as the client takes them.
boost::asio::awaitable<void> async_send_instances(Call call, http::ResponseWriter* writer);

// While the store is being read nothing can be said about services; nor can it to a client that has seen a later state.
std::optional<http::Response> refuse_early_read(Call const& call);

}  // namespace davit::api
