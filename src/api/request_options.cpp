#include "api/request_options.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "api/router.hpp"
#include "base/ids.hpp"
#include "http/url.hpp"

namespace davit::api {
namespace {

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A weak tag never matches here (RFC 9110, 13.1.1), and neither does one that no generation has.
Result<IfMatch> parse_if_match(std::string_view text) {
  IfMatch match;
  if (trim(text) == "*") return IfMatch{.any = true, .generations = {}};
  for (;;) {
    auto const comma = std::min(text.find(','), text.size());
    auto tag = trim(text.substr(0, comma));
    bool const is_weak = tag.starts_with("W/");
    if (is_weak) tag.remove_prefix(2);
    if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"') {
      return fail(Code::Invalid, fmt::format("If-Match takes the ETag of an answer with its quotes, as in \"4\", or *; not {}", tag),
                  "If-Match");
    }
    auto const generation = parse_number<std::uint64_t>(tag.substr(1, tag.size() - 2));
    if (!is_weak && generation) match.generations.push_back(*generation);
    if (comma == text.size()) return match;
    text.remove_prefix(comma + 1);
  }
}

Result<std::string> read_key(http::Request const& request) {
  std::string key(request.headers.get("Idempotency-Key"));
  bool const is_printable = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
  if (request.headers.has("Idempotency-Key") && (key.empty() || key.size() > kMaxKeyBytes || !is_printable)) {
    return fail(Code::Invalid, fmt::format("from 1 to {} printable characters without blanks", kMaxKeyBytes), "Idempotency-Key");
  }
  return key;
}

}  // namespace

Result<Duration> read_wait(http::Request const& request) {
  auto const text = request.query_value("wait");
  if (!text) return Duration{};
  auto const wait = parse_duration(*text);
  if (!wait) return fail(Code::Invalid, wait.error().message, "?wait");
  if (*wait < Duration{} || *wait > kMaxWait) return fail(Code::Invalid, fmt::format("at most {}", format_duration(kMaxWait)), "?wait");
  return *wait;
}

Result<WriteOptions> read_write_options(http::Request const& request) {
  WriteOptions options;
  if (auto const text = request.headers.find("If-Match")) {
    TRY(options.if_match, parse_if_match(*text));
  }
  TRY(options.request_id, read_key(request));
  TRY(options.dry_run, read_flag(request, "dry_run"));
  TRY(options.replace, read_flag(request, "replace"));
  TRY(options.defaults, read_flag(request, "defaults"));
  TRY(options.wait, read_wait(request));
  return options;
}

Result<Page> read_page(http::Request const& request) {
  Page page;
  page.after = request.query_value("after").value_or(std::string_view{});
  if (auto const text = request.query_value("limit")) {
    page.limit = parse_number<std::size_t>(*text);
    if (!page.limit || *page.limit == 0 || *page.limit > kMaxPage) {
      return fail(Code::Invalid, fmt::format("a number from 1 to {}", kMaxPage), "?limit");
    }
  }
  return page;
}

Result<bool> read_flag(http::Request const& request, std::string_view name) {
  auto const text = request.query_value(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return fail(Code::Invalid, fmt::format("true or false, not {}", *text), fmt::format("?{}", name));
}

Result<std::size_t> read_max_moves(http::Request const& request) {
  constexpr std::size_t kDefault = 10;
  auto const text = request.query_value("max_moves");
  if (!text) return kDefault;
  auto const number = parse_number<std::size_t>(*text);
  if (number && *number > 0 && *number <= kMaxMoves) return *number;
  return fail(Code::Invalid, fmt::format("a number from 1 to {}", kMaxMoves), "?max_moves");
}

Result<std::int64_t> read_revision(http::Request const& request) {
  auto const text = request.headers.find("Davit-Revision");
  if (!text) return 0;
  auto const revision = parse_number<std::int64_t>(*text);
  if (!revision || *revision < 0) return fail(Code::Invalid, "takes the number that an answer's Davit-Revision had", "Davit-Revision");
  return *revision;
}

std::uint64_t fingerprint_of(http::Request const& request) {
  http::Query query = request.query;
  std::erase_if(query, [](auto const& parameter) { return parameter.first == "wait"; });
  return stable_hash(fmt::format("{}\n{}{}\n{}", request.method, canonical_path(request.path), http::encode_query(query), request.body));
}

}  // namespace davit::api
