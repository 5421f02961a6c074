// The short forms that specs may be written in (api.md), as text. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/spec.hpp"

namespace davit::codec {

// "80", "80/udp", "8080:80", "8080-8089:80", "127.0.0.1:8080:80", "127.0.0.1::80", "[::1]:8080:80".
Result<model::PortSpec> parse_port(std::string_view text);

// "data:/path[:ro|rw]", "/on/the/node:/path[:ro|rw]", "/path" (an anonymous volume).
Result<model::Mount> parse_mount(std::string_view text);

// Splits as a shell does: blanks part words, '…' keeps everything, "…" lets a backslash quote " $ ` and \, a bare backslash
// quotes the next character. Nothing is expanded.
Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace davit::codec
