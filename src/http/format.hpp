// Writes the heads of HTTP/1.1 messages. Internal to http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace davit::http {

// How the end of a body is known to the other side.
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

struct ResponseHead {
  int status = 200;
  Framing framing = Framing::None;
  std::size_t length = 0;
  bool keep_alive = true;
  bool http_1_0 = false;
  std::string_view date;  // as in the Date header
};

// Replaces `out`, which a connection keeps for its memory. Line breaks in values become spaces: no value can add a header.
void format_response_head(std::string& out, ResponseHead const& head, Headers const& headers);
std::string format_request_head(Request const& request, std::string_view host);
std::string format_date(std::int64_t unix_seconds);  // "Tue, 15 Nov 1994 08:12:31 GMT"

}  // namespace davit::http
