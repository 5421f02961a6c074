// Incremental parsers of HTTP/1 messages: bytes in, messages out, no I/O. Internal to http/; parser.cpp is where Beast is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace davit::http {

// Header comes once per message, also when Message follows from the same bytes.
enum class Parsed : std::uint8_t { More, Header, Message, Malformed, HeaderTooLarge, BodyTooLarge };

struct Fed {
  Parsed parsed = Parsed::More;
  std::size_t consumed = 0;  // bytes of the input; the rest is to be offered again, with More behind it
};

class RequestParser {
 public:
  RequestParser(std::uint32_t header_limit, std::uint64_t body_limit);
  ~RequestParser();

  Fed feed(std::string_view input);
  std::string const& problem() const;  // why Malformed
  bool expects_continue() const;       // after Header
  bool keep_alive() const;             // after Header
  bool is_http_1_0() const;            // after Header
  Request take();                      // after Message: method, target, path, query, headers, body
  void reset();                        // ready for the next message

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ResponseParser {
 public:
  // `to_head`: the request was a HEAD, so no body follows whatever the header says.
  ResponseParser(bool to_head, std::uint64_t body_limit);
  ~ResponseParser();

  Fed feed(std::string_view input);
  Parsed feed_end();  // the connection was closed: Message where that ends the body, Malformed where it cuts it
  std::string const& problem() const;
  bool has_header() const;
  int status() const;       // after Header
  Headers headers() const;  // after Header
  bool is_done() const;
  bool keep_alive() const;  // after Message: the connection can take another request
  std::string take_body();  // what has come since the last time

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::http
