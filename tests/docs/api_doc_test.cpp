// docs/api.md against the OpenAPI document that the server gives: what one has, the other has.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <fmt/core.h>

#include "api/openapi.hpp"
#include "api/problem.hpp"
#include "codec/json.hpp"
#include "model/instance.hpp"
#include "model/problem.hpp"

namespace davit::api {
namespace {

using Words = std::set<std::string>;

std::string const& page() {
  static std::string const text = [] {
    std::ifstream file(DAVIT_DOCS "/api.md");
    return (std::ostringstream() << file.rdbuf()).str();
  }();
  return text;
}

Words matches(std::string const& pattern) {
  std::regex const expression(pattern);
  Words found;
  for (std::sregex_iterator at(page().begin(), page().end(), expression), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

bool mentions(std::string_view word) { return page().find(fmt::format("`{}`", word)) != std::string::npos; }

codec::Value const& document() {
  static codec::Value const parsed = codec::parse_json(*openapi_document("0")).value();
  return parsed;
}

void add_fields(codec::Value const& schema, Words& fields) {
  for (auto const& property : schema.at("properties").members()) {
    fields.insert(property.key);
    add_fields(property.value, fields);
  }
  for (auto const* const below : {"oneOf", "anyOf"}) {
    for (auto const& each : schema.at(below).items()) add_fields(each, fields);
  }
  if (auto const& items = schema.at("items"); !items.is_null()) add_fields(items, fields);
}

TEST(ApiDoc, has_the_operations_of_the_openapi_document) {
  Words described;
  for (auto const& path : document().at("paths").members()) {
    for (auto const& method : path.value.members()) {
      auto name = method.key;
      for (auto& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      described.insert(fmt::format("{} {}", name, path.key));
    }
  }
  EXPECT_EQ(matches(R"(\n\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`?]*)` \|)"), described);
}

TEST(ApiDoc, mentions_every_field_of_the_spec) {
  Words fields;
  add_fields(document().at("components").at("schemas").at("Spec"), fields);
  ASSERT_TRUE(fields.contains("max_replicas_per_node")) << "the walk no longer reaches what is nested";
  for (auto const& field : fields) EXPECT_TRUE(mentions(field)) << field;
}

TEST(ApiDoc, mentions_every_parameter) {
  for (auto const& parameter : document().at("components").at("parameters").members()) {
    std::string const name(parameter.value.at("name").text());
    auto const stands_as = [&](std::string_view form) { return page().find(fmt::format(fmt::runtime(form), name)) != std::string::npos; };
    EXPECT_TRUE(stands_as("`{}") || stands_as("?{}") || stands_as("{{{}}}")) << name;
  }
}

TEST(ApiDoc, explains_every_reason) {
  Words reasons;
  for (auto const& [value, name] : model::EnumNames<model::Reason>::kAll) {
    if (!name.empty()) reasons.emplace(name);
  }
  auto const from = page().find("### Reasons");
  auto const section = page().substr(from, page().find("\n## ", from) - from);
  for (auto const& reason : reasons) EXPECT_NE(section.find(fmt::format("\n| `{}` |", reason)), std::string::npos) << reason;
}

TEST(ApiDoc, lists_every_problem_with_its_status) {
  Words expected;
  for (auto const& kind : all_problem_kinds()) expected.insert(fmt::format("{} | `{}`", kind.status, kind.code));
  EXPECT_EQ(matches(R"(\n\| ([45][0-9]{2} \| `[a-z_]+`) \|)"), expected);
}

TEST(ApiDoc, mentions_the_codes_of_single_errors) {
  using namespace model::problem_code;
  for (auto const code :
       {kUnknownField, kWrongType, kOutOfRange, kRequired, kUnknownValue, kInvalidValue, kDuplicate, kConflict, kUnsupported, kTooLarge}) {
    EXPECT_TRUE(mentions(code)) << code;
  }
}

}  // namespace
}  // namespace davit::api
