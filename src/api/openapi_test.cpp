#include "api/openapi.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include <fmt/core.h>

#include "api/problem.hpp"
#include "api/routes.hpp"
#include "codec/json.hpp"

namespace davit::api {
namespace {

using codec::Value;
using Names = std::set<std::string>;

Value const& document() {
  static Value const parsed = codec::parse_json(*openapi_document("1.2.3")).value();
  return parsed;
}

// The value that "#/components/…/name" stands for; null if there is none.
Value const& resolve(std::string_view ref) {
  Value const* at = &document();
  for (ref.remove_prefix(2); !ref.empty();) {
    auto const end = std::min(ref.find('/'), ref.size());
    at = &at->at(ref.substr(0, end));
    ref.remove_prefix(std::min(end + 1, ref.size()));
  }
  return *at;
}

void for_each_ref(Value const& value, std::function<void(std::string_view)> const& visit) {
  if (auto const ref = value.at("$ref").text(); !ref.empty()) visit(ref);
  for (auto const& item : value.items()) for_each_ref(item, visit);
  for (auto const& member : value.members()) for_each_ref(member.value, visit);
}

template <class Visit>
void for_each_operation(Visit&& visit) {
  for (auto const& path : document().at("paths").members()) {
    for (auto const& method : path.value.members()) visit(method.key, path.key, method.value);
  }
}

Names query_of(Value const& operation) {
  Names names;
  for (auto const& item : operation.at("parameters").items()) {
    auto const& parameter = resolve(item.at("$ref").text());
    if (parameter.at("in").text() == "query") names.emplace(parameter.at("name").text());
  }
  return names;
}

std::string lower(std::string text) {
  for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

TEST(OpenApi, describes_the_routes_that_there_are_with_their_parameters) {
  std::map<std::string, Names> served;
  for (auto const& route : all_routes()) {
    served.emplace(lower(fmt::format("{} {}", route.method, route.path)), Names(route.query.begin(), route.query.end()));
  }
  std::map<std::string, Names> described;
  for_each_operation(
      [&](auto const& method, auto const& path, auto const& operation) { described.emplace(method + " " + path, query_of(operation)); });
  EXPECT_EQ(described, served);
}

TEST(OpenApi, refers_only_to_what_is_there) {
  for_each_ref(document(), [](std::string_view ref) { EXPECT_FALSE(resolve(ref).is_null()) << ref; });
}

TEST(OpenApi, has_nothing_that_nobody_refers_to) {
  Names used{"#/components/schemas/Event", "#/components/schemas/LogLine",
             "#/components/responses/405"};  // of streams; of every other method
  for_each_ref(document(), [&](std::string_view ref) { used.emplace(ref); });
  for (auto const* const kind : {"parameters", "responses", "schemas"}) {
    for (auto const& member : document().at("components").at(kind).members()) {
      EXPECT_TRUE(used.contains(fmt::format("#/components/{}/{}", kind, member.key))) << kind << "/" << member.key;
    }
  }
}

TEST(OpenApi, gives_each_operation_a_name_of_its_own) {
  Names ids;
  for_each_operation([&](auto const&, auto const& path, auto const& operation) {
    EXPECT_TRUE(ids.emplace(operation.at("operationId").text()).second) << path;
    EXPECT_FALSE(operation.at("summary").text().empty()) << path;
  });
}

TEST(OpenApi, documents_every_problem_that_can_be_answered) {
  Names documented;
  for_each_operation([&](auto const&, auto const&, auto const& operation) {
    for (auto const& response : operation.at("responses").members()) documented.insert(response.key);
  });
  documented.insert("405");  // what every other method of a path is answered
  for (auto const& kind : all_problem_kinds()) EXPECT_TRUE(documented.contains(std::to_string(kind.status))) << kind.code;
}

TEST(OpenApi, names_the_parameters_of_each_path) {
  for_each_operation([&](auto const&, auto const& path, auto const& operation) {
    std::size_t in_path = 0;
    for (auto const& item : operation.at("parameters").items())
      in_path += resolve(item.at("$ref").text()).at("in").text() == "path" ? 1 : 0;
    EXPECT_EQ(in_path, path.find("{name}") == std::string::npos ? 0U : 1U) << path;
  });
}

TEST(OpenApi, is_made_once) { EXPECT_EQ(openapi_document("1.2.3"), openapi_document("1.2.3")); }

}  // namespace
}  // namespace davit::api
