// POST /rebalance: instances to nodes that carry less. This master finds the moves on its own view; each service's owner carries
// its own out. Control thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.hpp"

namespace davit::api {

boost::asio::awaitable<http::Response> async_rebalance(Call call);

}  // namespace davit::api
