// Flags whose value has a grammar of its own, as docker has it: ports, mounts, ulimits. What is well formed and still wrong
// is the server's to say. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::cli {

// The number, or the text as it is, for the server to refuse.
codec::Value number_or_text(std::string_view text);

// "8080:80/udp" as it is; "published=8080,target=80,protocol=tcp,mode=host" as an object, and what is to be ingress too.
Result<codec::Value> parse_publish(std::string_view text, bool is_ingress);
// "type=bind,source=/srv,target=/data,readonly" as an object.
Result<codec::Value> parse_mount_flag(std::string_view text);
// "nofile=1024:2048": key nofile, value {"soft":1024,"hard":2048}.
Result<codec::Member> parse_ulimit(std::string_view text);

// What an entry of `ports` or `volumes` occupies, in any of its forms: "80/tcp", "/data"; "" where that cannot be told.
std::string port_place(codec::Value const& entry);
std::string mount_place(codec::Value const& entry);

}  // namespace davit::cli
