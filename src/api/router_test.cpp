#include "api/router.hpp"

#include <gtest/gtest.h>

#include "http/url.hpp"

namespace davit::api {
namespace {

http::Response nothing(Call const&) { return {}; }

// "POST /services/{name}/restart a/b", or the status of the refusal.
std::string matched(std::string method, std::string_view target) {
  static Router const router({{"GET", "/services", {}, Read(nothing)},
                              {"GET", "/services/{name}", {}, Read(nothing)},
                              {"POST", "/services/{name}", {}, Read(nothing)},
                              {"POST", "/services/{name}/restart", {}, Read(nothing)}});
  auto parsed = http::parse_target(target);
  if (!parsed) return parsed.error().message;
  http::Request request;
  request.method = std::move(method);
  request.path = std::move(parsed->path);
  request.query = std::move(parsed->query);
  auto const match = router.match(request);
  if (auto const* refused = std::get_if<http::Response>(&match)) return std::to_string(refused->status);
  auto const& found = std::get<Router::Found>(match);
  return std::string(found.route->method) + " " + std::string(found.route->path) + (found.name.empty() ? "" : " ") + found.name;
}

TEST(Router, FindsARouteByMethodAndPath) {
  EXPECT_EQ(matched("GET", "/services"), "GET /services");
  EXPECT_EQ(matched("HEAD", "/v1/service/web/"), "GET /services/{name} web");
  EXPECT_EQ(matched("POST", "/services/web/restart"), "POST /services/{name}/restart web");
  EXPECT_EQ(matched("GET", "/services/web/restart"), "405");
  EXPECT_EQ(matched("OPTIONS", "/services"), "204");
  EXPECT_EQ(matched("GET", "/services//restart"), "404");
  EXPECT_EQ(matched("GET", "/nothing"), "404");
  EXPECT_EQ(matched("GET", "/services/web?wat=1"), "400");
}

TEST(Router, SplitsThePathBeforeItDecodesIt) {
  EXPECT_EQ(matched("POST", "/services/a%2Frestart"), "POST /services/{name} a/restart");
  EXPECT_EQ(matched("POST", "/services/a%2F/restart"), "POST /services/{name}/restart a/");
  EXPECT_EQ(matched("GET", "/services%2Fweb"), "404");
  EXPECT_EQ(matched("GET", "/services/%2F"), "GET /services/{name} /");
  EXPECT_EQ(matched("GET", "/%73ervices/w%65b%20%C3%A4"), "GET /services/{name} web ä");
  EXPECT_EQ(matched("GET", "/services/100%25"), "GET /services/{name} 100%");
}

}  // namespace
}  // namespace davit::api
