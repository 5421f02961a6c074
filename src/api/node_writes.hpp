// The routes that change a node's place in the cluster: labels, availability, down by hand, gone. The coordinator decides.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.hpp"

namespace davit::api {

boost::asio::awaitable<http::Response> async_patch_node(Call call);      // {"availability", "labels"}: a merge patch
boost::asio::awaitable<http::Response> async_drain_node(Call call);      // with ?wait: until no instance is left on it
boost::asio::awaitable<http::Response> async_activate_node(Call call);
boost::asio::awaitable<http::Response> async_mark_node_down(Call call);
boost::asio::awaitable<http::Response> async_remove_node(Call call);

}  // namespace davit::api
