// The grammars of the words in a spec: names, image references, addresses, paths. Pure predicates.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace davit::model {

// [a-z0-9]([a-z0-9_-]*[a-z0-9])?, at most 63 characters.
bool is_service_name(std::string_view text);

// [REGISTRY[:PORT]/]PATH[:TAG][@sha256:HEX]; what is wrong with it and how to write it, or nothing.
std::optional<std::string> why_no_image(std::string_view reference);

// Whether the reference may mean another image tomorrow: no digest, and no tag or `latest`.
bool is_unpinned(std::string_view reference);

bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
inline bool is_ip_address(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

// RFC 1123: labels of letters, digits and inner dashes; at most 63 characters in all, which is what Linux takes.
bool is_hostname(std::string_view text);

// "/", or segments with one slash before each; no "..".
bool is_absolute_path(std::string_view text);

// What the engine takes as the name of a volume or a network.
bool is_engine_name(std::string_view text);

// SIGTERM, TERM, RTMIN+3, or a number from 1 to 64.
bool is_signal(std::string_view text);
std::span<std::string_view const> signal_names();  // without SIG, and without the real-time ones

// The limits of a process that the engine knows, as in "nofile".
std::span<std::string const> ulimit_names();

}  // namespace davit::model
