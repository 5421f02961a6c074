// GET /events: transitions as server-sent events, from now on or from where the client was cut off. Control thread.
// Filters ?service=&node=&type= (a type or its beginning, as in "instance"); resumes after Last-Event-ID or ?since_id=.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

namespace davit::api {

boost::asio::awaitable<void> async_serve_events(Context& context, http::Request request, http::ResponseWriter& writer);

}  // namespace davit::api
