#include "http/parser.hpp"

#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/url.hpp"

namespace davit::http {
namespace asio = boost::asio;
namespace beast = boost::beast::http;

namespace {

constexpr std::uint32_t kResponseHeaderLimit = 64 * 1024;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// One put() and what it means. The parser stops behind the header (eager is off until then) so that it can be looked at.
template <class Parser>
Fed feed_once(Parser& parser, std::string_view input, std::string& problem) {
  bool const had_header = parser.is_header_done();
  if (parser.is_done()) return {.parsed = Parsed::Message, .consumed = 0};
  if (input.empty()) return {};
  boost::beast::error_code error;
  Fed fed;
  fed.consumed = parser.put(asio::buffer(input.data(), input.size()), error);
  if (error == beast::error::need_more) error = {};
  if (error == beast::error::header_limit) {
    fed.parsed = Parsed::HeaderTooLarge;
  } else if (error == beast::error::body_limit) {
    fed.parsed = Parsed::BodyTooLarge;
  } else if (error) {
    fed.parsed = Parsed::Malformed;
    problem = error.message();
  } else if (!had_header && parser.is_header_done()) {
    fed.parsed = Parsed::Header;
    parser.eager(true);
  } else if (parser.is_done()) {
    fed.parsed = Parsed::Message;
  }
  return fed;
}

Headers copy_headers(beast::fields const& fields) {
  Headers headers;
  for (auto const& field : fields) headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  return headers;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  return view(beast::obsolete_reason(beast::int_to_status(static_cast<unsigned>(status))));
}

struct RequestParser::Impl {
  Impl(std::uint32_t headers, std::uint64_t body) : header_limit(headers), body_limit(body) {}

  std::uint32_t header_limit;
  std::uint64_t body_limit;
  std::optional<beast::request_parser<beast::string_body>> parser;
  Target target;
  std::string problem;

  // What Beast leaves to the application: the target's form and that there is a Host.
  bool check_header() {
    auto const& message = parser->get();
    if (message.version() != 11 && message.version() != 10) {
      problem = "only HTTP/1.1 and HTTP/1.0 are spoken here";
      return false;
    }
    if (message.version() == 11 && message.count(beast::field::host) != 1) {
      problem = "an HTTP/1.1 request has exactly one Host header";
      return false;
    }
    auto parsed = parse_target(view(message.target()));
    if (!parsed) {
      problem = parsed.error().message;
      return false;
    }
    target = std::move(*parsed);
    return true;
  }
};

RequestParser::RequestParser(std::uint32_t header_limit, std::uint64_t body_limit)
    : impl_(std::make_unique<Impl>(header_limit, body_limit)) {
  reset();
}
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  auto& parser = impl_->parser.emplace();
  parser.header_limit(impl_->header_limit);
  parser.body_limit(impl_->body_limit);
  impl_->problem.clear();
}

Fed RequestParser::feed(std::string_view input) {
  Fed fed = feed_once(*impl_->parser, input, impl_->problem);
  if (fed.parsed == Parsed::Header && !impl_->check_header()) fed.parsed = Parsed::Malformed;
  return fed;
}

std::string const& RequestParser::problem() const { return impl_->problem; }
bool RequestParser::keep_alive() const { return impl_->parser->keep_alive(); }
bool RequestParser::is_http_1_0() const { return impl_->parser->get().version() == 10; }

bool RequestParser::expects_continue() const {
  auto const& message = impl_->parser->get();
  return message.version() == 11 && equals_ignoring_case(view(message[beast::field::expect]), "100-continue");
}

Request RequestParser::take() {
  auto& message = impl_->parser->get();
  Request request;
  request.method = view(message.method_string());
  request.target = view(message.target());
  request.headers = copy_headers(message);
  request.body = std::move(message.body());
  request.path = std::move(impl_->target.path);
  request.query = std::move(impl_->target.query);
  return request;
}

struct ResponseParser::Impl {
  beast::response_parser<beast::string_body> parser;
  std::string problem;
};

ResponseParser::ResponseParser(bool to_head, std::uint64_t body_limit) : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(kResponseHeaderLimit);
  impl_->parser.body_limit(body_limit);
  impl_->parser.skip(to_head);
}
ResponseParser::~ResponseParser() = default;

Fed ResponseParser::feed(std::string_view input) { return feed_once(impl_->parser, input, impl_->problem); }

Parsed ResponseParser::feed_end() {
  boost::beast::error_code error;
  if (impl_->parser.is_done()) return Parsed::Message;
  if (impl_->parser.got_some()) impl_->parser.put_eof(error);  // a precondition of put_eof
  if (!error && impl_->parser.is_done()) return Parsed::Message;
  impl_->problem = "the connection was closed in the middle of the answer";
  return Parsed::Malformed;
}

std::string const& ResponseParser::problem() const { return impl_->problem; }
bool ResponseParser::has_header() const { return impl_->parser.is_header_done(); }
int ResponseParser::status() const { return impl_->parser.get().result_int(); }
Headers ResponseParser::headers() const { return copy_headers(impl_->parser.get()); }
bool ResponseParser::is_done() const { return impl_->parser.is_done(); }
bool ResponseParser::keep_alive() const { return impl_->parser.is_done() && impl_->parser.keep_alive() && !impl_->parser.need_eof(); }
std::string ResponseParser::take_body() { return std::exchange(impl_->parser.get().body(), {}); }

}  // namespace davit::http
