// Waiting until this master's view of the store has come to a revision: what a user has written, by whichever master, he also reads.
// Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "api/context.hpp"
#include "base/ids.hpp"
#include "http/message.hpp"

namespace davit::api {

inline bool has_seen(Context const& context, std::int64_t revision) { return context.master().view().revision >= revision; }

// At most two seconds: a master that is cut off comes to it later or never.
boost::asio::awaitable<void> async_until_seen(Context* context, std::int64_t revision);

// Of a change that is made, by a master that cannot show it: what it shows would be from before. Empty: it can.
std::optional<http::Response> refuse_to_show(Context const& context, std::int64_t revision);

// The same for one of these generations of a service, which another master may have shown already: until it is at one of them, or beyond
// all. Does not wait for a service that is not there.
boost::asio::awaitable<void> async_until_generation(Context* context, std::string service, std::vector<std::uint64_t> any_of);

// The same for anything that has overtaken this generation of a service.
boost::asio::awaitable<void> async_until_overtaken(Context* context, std::string service, ServiceUid uid, std::uint64_t generation);

}  // namespace davit::api
