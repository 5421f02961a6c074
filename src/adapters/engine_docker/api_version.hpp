// Versions of the Engine API, and which one to speak with an engine.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit::engine_docker {

struct ApiVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(ApiVersion const&, ApiVersion const&) = default;
};

// Docker 20.10; below it, one-shot statistics and other things are missing.
inline constexpr ApiVersion kOldestApi{1, 41};
// The shapes that this adapter was written for. Every engine up to the 29 line accepts it, so nothing is won by a newer one.
inline constexpr ApiVersion kNewestApi{1, 47};

std::string to_string(ApiVersion version);  // "1.47"
std::optional<ApiVersion> parse_api_version(std::string_view text);

// From the engine's own newest version, as its ping says it. Code::Unsupported when it is too old.
Result<ApiVersion> negotiate(std::string_view engine_newest);

}  // namespace davit::engine_docker
