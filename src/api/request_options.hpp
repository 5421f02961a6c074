// What a request says beside its body: query parameters and headers, read strictly. Errors name the parameter ("?wait") or
// the header ("If-Match") in their field. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "http/message.hpp"

namespace davit::api {

inline constexpr Duration kMaxWait = 1h;
inline constexpr std::size_t kMaxPage = 1'000;
inline constexpr std::size_t kMaxMoves = 1'000;
inline constexpr std::size_t kMaxKeyBytes = 256;

// If-Match: any of these generations, or whatever there is.
struct IfMatch {
  bool any = false;
  std::vector<std::uint64_t> generations;
};

struct WriteOptions {
  std::optional<IfMatch> if_match;
  std::string request_id;  // Idempotency-Key, or empty
  bool dry_run = false;
  bool replace = false;
  bool defaults = false;
  Duration wait{};  // 0: the answer does not wait for instances
};
Result<WriteOptions> read_write_options(http::Request const& request);

// "?wait=30s"; 0 when it is not given.
Result<Duration> read_wait(http::Request const& request);

struct Page {
  std::optional<std::size_t> limit;
  std::string after;
};
Result<Page> read_page(http::Request const& request);

// "?defaults=true", "?defaults"; false when it is not given.
Result<bool> read_flag(http::Request const& request, std::string_view name);

// "?max_moves=20"; 10 when it is not given.
Result<std::size_t> read_max_moves(http::Request const& request);

// Davit-Revision: the answer must be no older than this revision of the store. 0 when it is not given.
Result<std::int64_t> read_revision(http::Request const& request);

// What a repeated request has in common with the first one: method, path, query but for `wait`, and body.
std::uint64_t fingerprint_of(http::Request const& request);

}  // namespace davit::api
