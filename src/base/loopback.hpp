// Addresses that only their own machine reaches.
#pragma once

#include <string_view>

namespace davit {

// As users and engines write them: "127.0.0.1", "::1", "localhost".
inline bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1" || address == "localhost"; }

}  // namespace davit
