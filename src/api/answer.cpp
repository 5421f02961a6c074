#include "api/answer.hpp"

#include <fmt/core.h>

#include "codec/json.hpp"
#include "http/url.hpp"

namespace davit::api {

http::Response answer(int status, codec::Value const& body) {
  return {
      .status = status, .headers = {{"Content-Type", std::string(kJson)}, {"Cache-Control", "no-store"}}, .body = codec::dump(body) + "\n"};
}

std::string next_link(http::Request const& request, std::string_view after) {
  http::Query query = request.query;
  std::erase_if(query, [](auto const& parameter) { return parameter.first == "after"; });
  query.emplace_back("after", after);
  return fmt::format("<{}{}>; rel=\"next\"", request.path, http::encode_query(query));
}

bool is_unchanged(http::Request const& request, std::string_view etag) {
  auto const known = request.headers.get("If-None-Match");
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return !known.empty() && (known == "*" || known.find(etag) != std::string_view::npos);
}

}  // namespace davit::api
