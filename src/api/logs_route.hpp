// GET /services/{name}/logs?follow&tail&since&stream&slot&previous: what the instances of a service print, as one stream of text or
// ndjson. What cannot be read (a silent node, a container that is gone) becomes a warning line, never an error.
// Control thread.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

namespace davit::api {

boost::asio::awaitable<void> async_serve_logs(Context& context, std::string service, http::Request request, http::ResponseWriter& writer);

}  // namespace davit::api
