// Waiting for a service to come to rest after a write (?wait=). Control thread.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "base/ids.hpp"

namespace davit::api {

// Runs, or will not without somebody's help: an update that stopped, an image that does not exist.
bool is_settled(master::Service const& service);

// Until the service is settled, is another one or gone, or the deadline has come.
boost::asio::awaitable<void> async_settle(Context* context, std::string service, ServiceUid uid, Monotonic deadline);

}  // namespace davit::api
