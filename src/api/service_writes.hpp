// Requests that change services: each becomes one command, and is answered when the journal has it. Control thread.
#pragma once

#include "api/call.hpp"

namespace davit::api {

boost::asio::awaitable<http::Response> async_create(Call call);  // POST /services, POST /services/{name}
boost::asio::awaitable<http::Response> async_put(Call call);     // a merge patch; with ?replace=true the whole spec
boost::asio::awaitable<http::Response> async_patch(Call call);
boost::asio::awaitable<http::Response> async_remove(Call call);
boost::asio::awaitable<http::Response> async_restart(Call call);
boost::asio::awaitable<http::Response> async_rollback(Call call);
boost::asio::awaitable<http::Response> async_pause(Call call);
boost::asio::awaitable<http::Response> async_resume(Call call);

}  // namespace davit::api
