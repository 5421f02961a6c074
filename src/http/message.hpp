// HTTP requests and responses as values, for server and client alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace davit::http {

// In the order they came; names compare without regard to case.
class Headers {
 public:
  using Item = std::pair<std::string, std::string>;

  Headers() = default;
  Headers(std::initializer_list<Item> items) : items_(items) {}

  void add(std::string name, std::string value) { items_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);  // in place of all of that name
  void erase(std::string_view name);
  void reserve(std::size_t count) { items_.reserve(count); }

  std::optional<std::string_view> find(std::string_view name) const;  // the first of that name
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view{}); }
  bool has(std::string_view name) const { return find(name).has_value(); }

  std::size_t size() const { return items_.size(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  std::vector<Item> items_;
};

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

// A body of one's own, or bytes shared with a cache and sent without a copy.
class Body {
 public:
  Body() = default;
  Body(std::string bytes) : bytes_(std::move(bytes)) {}
  Body(char const* bytes) : bytes_(std::string(bytes)) {}
  Body(std::shared_ptr<std::string const> bytes) : bytes_(std::move(bytes)) {}

  std::string_view view() const;
  std::string take() &&;
  std::size_t size() const { return view().size(); }
  bool empty() const { return view().empty(); }

 private:
  std::variant<std::string, std::shared_ptr<std::string const>> bytes_;
};

// Who asks: from this machine over TCP, from elsewhere, or over a unix socket (whose file mode has let it in).
enum class Transport : std::uint8_t { TcpLoopback, Tcp, Unix };

using Query = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";  // as on the wire, still encoded; all that a client needs to set
  Headers headers;
  std::string body;

  // Filled in by the server only.
  std::string path;  // as parse_target (url.hpp) gives it: split first, then decode a segment
  Query query;       // decoded, in order
  std::string remote;
  Transport transport = Transport::Tcp;

  std::optional<std::string_view> query_value(std::string_view name) const;  // the first of that name; "" when given without "="
};

struct Response {
  int status = 200;
  Headers headers;  // without Content-Length, Transfer-Encoding, Connection and Date: the server adds them
  Body body;
};

std::string_view reason_phrase(int status) noexcept;

}  // namespace davit::http
