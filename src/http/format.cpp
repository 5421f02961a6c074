#include "http/format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/core.h>

#include "http/url.hpp"

namespace davit::http {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  auto const start = out.size();
  out.append(name).append(": ").append(value);
  std::ranges::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  out.append("\r\n");
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  auto const result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

// A target is the caller's to encode; what would break the request line is encoded here all the same.
void append_target(std::string& out, std::string_view target) {
  for (char const c : target) {
    if (c > ' ' && c < '\x7f') out += c;
    else out += percent_encode({&c, 1});
  }
}

bool has_body_by_nature(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

}  // namespace

void format_response_head(std::string& out, ResponseHead const& head, Headers const& headers) {
  out.assign("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(head.status));
  out.append(" ").append(reason_phrase(head.status)).append("\r\n");
  for (auto const& [name, value] : headers) append_line(out, name, value);
  switch (head.framing) {
    case Framing::None: break;
    case Framing::UntilClose: break;
    case Framing::Chunked: out.append("Transfer-Encoding: chunked\r\n"); break;
    case Framing::Length:
      out.append("Content-Length: ");
      append_number(out, head.length);
      out.append("\r\n");
      break;
  }
  if (!head.keep_alive) out.append("Connection: close\r\n");
  if (head.keep_alive && head.http_1_0) out.append("Connection: keep-alive\r\n");
  out.append("Date: ").append(head.date).append("\r\n\r\n");
}

std::string format_request_head(Request const& request, std::string_view host) {
  std::string out;
  out.append(request.method).append(" ");
  append_target(out, request.target);
  out.append(" HTTP/1.1\r\n");
  if (!request.headers.has("Host")) append_line(out, "Host", host);
  if (!request.headers.has("User-Agent")) out.append("User-Agent: davit\r\n");
  for (auto const& [name, value] : request.headers) append_line(out, name, value);
  if (!request.body.empty() || has_body_by_nature(request.method)) append_line(out, "Content-Length", std::to_string(request.body.size()));
  out.append("\r\n");
  return out;
}

std::string format_date(std::int64_t unix_seconds) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&unix_seconds, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                     kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace davit::http
