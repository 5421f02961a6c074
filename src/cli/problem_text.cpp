#include "cli/problem_text.hpp"

#include <fmt/core.h>

#include "codec/json.hpp"
#include "codec/utf8.hpp"
#include "http/message.hpp"

namespace davit::cli {
namespace {

Code code_of_status(int status) {
  switch (status) {
    case 404: return Code::NotFound;
    case 409: return Code::Exists;
    case 412: return Code::Stale;
    case 503: return Code::Unavailable;
    default: return status < 500 ? Code::Invalid : Code::Internal;
  }
}

}  // namespace

std::string escape_text(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    auto const length = codec::utf8_character(text);
    auto const first = static_cast<unsigned char>(text.front());
    // U+0080 to U+009F are controls as well: some terminals obey them.
    bool const is_control = first < 0x20 || first == 0x7f || (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    auto const count = length == 0 ? 1 : length;
    if (length == 0 || is_control) {
      for (std::size_t i = 0; i < count; ++i) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else {
      escaped += text.substr(0, count);
    }
    text.remove_prefix(count);
  }
  return escaped;
}

std::string problem_text(codec::Value const& problem, PlaceName const& place_name) {
  std::string text(problem.at("title").text());
  auto const detail = problem.at("detail").text();
  auto const errors = problem.at("errors").items();
  bool const is_said_below = errors.size() == 1 && errors.front().at("detail").text() == detail;
  if (!detail.empty() && !is_said_below) text += fmt::format("{}{}", text.empty() ? "" : ": ", detail);
  text = escape_text(text);
  for (auto const& error : errors) {
    auto const pointer = error.at("pointer").text();
    auto const place = place_name ? place_name(pointer) : std::string(pointer);
    text += fmt::format("{}{}: {}", is_said_below ? ": " : "\n  ", escape_text(place), escape_text(error.at("detail").text()));
  }
  return text;
}

Error error_of_answer(int status, std::string_view body, PlaceName const& place_name) {
  auto const problem = codec::parse_json(body);
  if (problem && problem->as_object() && !problem->at("title").text().empty()) {
    auto const code = problem->at("code").text();
    return {code_of_status(status), problem_text(*problem, place_name), std::string(code.empty() ? "http" : code)};
  }
  auto const start = escape_text(body.substr(0, 200));
  return {code_of_status(status), fmt::format("HTTP {} {}{}{}", status, http::reason_phrase(status), start.empty() ? "" : ": ", start),
          "http"};
}

}  // namespace davit::cli
