// Who may ask: the bearer token, and no web page of another site (DNS rebinding, cross-site writes). The unix socket is let
// through: its file mode has decided already. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace davit::api {

struct AccessOptions {
  std::optional<std::string> token;
  std::string listen_host;
  std::string node;
  std::vector<std::string> hosts;  // further names that clients may use for this server
};

class Access {
 public:
  explicit Access(AccessOptions options);
  // The refusal, or nothing.
  std::optional<http::Response> refuse(http::Request const& request) const;

 private:
  bool is_own_name(std::string_view host) const;

  AccessOptions options_;
  bool checks_host_ = false;
};

// "[::1]:4820" → "::1"; "localhost:4820" → "localhost".
std::string_view host_without_port(std::string_view host);
bool is_loopback_host(std::string_view host);

}  // namespace davit::api
