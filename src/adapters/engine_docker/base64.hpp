// Base64 as docker uses it: the standard alphabet in its configuration file, the one for URLs in X-Registry-Auth; padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace davit::engine_docker {

std::string encode_base64url(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);  // either alphabet, padded or not

}  // namespace davit::engine_docker
