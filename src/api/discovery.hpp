// GET /discovery/{name} and GET /http_sd: where the ready instances of services are, for proxies and for Prometheus.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.hpp"

namespace davit::api {

// With ?wait and If-None-Match: once the list is another one than that of the tag, else 304 when the time is over. The tag is of the
// content, so it holds at every master.
boost::asio::awaitable<http::Response> async_discover(Call call);
// Prometheus's HTTP service discovery; ?service names one.
http::Response list_targets(Call const& call);

}  // namespace davit::api
