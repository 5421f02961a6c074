#include "adapters/engine_docker/api_version.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace davit::engine_docker {

std::string to_string(ApiVersion version) { return fmt::format("{}.{}", version.major, version.minor); }

std::optional<ApiVersion> parse_api_version(std::string_view text) {
  ApiVersion out;
  auto const* end = text.data() + text.size();
  auto const [dot, major_error] = std::from_chars(text.data(), end, out.major);
  if (major_error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  auto const [stop, minor_error] = std::from_chars(dot + 1, end, out.minor);
  if (minor_error != std::errc{} || stop != end) return std::nullopt;
  return out;
}

Result<ApiVersion> negotiate(std::string_view engine_newest) {
  auto const newest = parse_api_version(engine_newest);
  if (!newest) {
    return fail(Code::Unsupported,
                fmt::format("what answers there is no Docker Engine: its ping has no Api-Version header (\"{}\")", engine_newest));
  }
  if (*newest < kOldestApi) {
    return fail(Code::Unsupported,
                fmt::format("the Docker Engine is too old: it speaks API {}, Davit needs {} (Docker 20.10) or newer; upgrade it",
                            to_string(*newest), to_string(kOldestApi)));
  }
  return std::min(*newest, kNewestApi);
}

}  // namespace davit::engine_docker
