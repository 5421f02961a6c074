// Answers that are not refusals. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "codec/value.hpp"
#include "http/message.hpp"

namespace davit::api {

inline constexpr std::string_view kJson = "application/json";

http::Response answer(int status, codec::Value const& body);
// The same request, from after this entry on: a Link header's value.
std::string next_link(http::Request const& request, std::string_view after);
// Whether If-None-Match names this tag; weak comparison.
bool is_unchanged(http::Request const& request, std::string_view etag);

}  // namespace davit::api
