// One request as a route sees it, and the forms that a route can have. A Call lives as long as the request's handling.
#pragma once

#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "http/message.hpp"
#include "http/server.hpp"

namespace davit::api {

struct Call {
  Context& context;
  http::Request const& request;
  std::string name;  // what stands for {name} in the path
};

using Read = http::Response (*)(Call const&);                                  // from memory, at once
using Task = boost::asio::awaitable<http::Response> (*)(Call);                 // waits for the store or for agents
using Stream = boost::asio::awaitable<void> (*)(Call, http::ResponseWriter*);  // goes on for as long as the client wants
using Action = std::variant<Read, Task, Stream>;

}  // namespace davit::api
