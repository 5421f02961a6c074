#include "api/request_body.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "api/problem.hpp"
#include "codec/json.hpp"
#include "codec/spec.hpp"
#include "model/syntax.hpp"

namespace davit::api {
namespace {

using model::Problem;
namespace problem_code = model::problem_code;

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kMergePatchType = "application/merge-patch+json";

std::string_view media_type(http::Request const& request) {
  auto type = request.headers.get("Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return type;
}

http::Response refuse_media(std::string_view type, Media media) {
  auto const got = type.empty() ? std::string("a body without Content-Type") : fmt::format("'{}'", type);
  auto const* also = media == Media::Json ? "" : " or application/merge-patch+json";
  auto refused =
      problem(problem_kind::kMediaType, fmt::format("send application/json{}, as `curl --json '{{…}}'` does; this is {}", also, got));
  refused.headers.add("Accept", media == Media::Json ? std::string(kJsonType) : fmt::format("{}, {}", kJsonType, kMergePatchType));
  return refused;
}

http::Response refuse_spec(std::vector<Problem> const& problems) {
  return problem(problem_kind::kInvalidSpec, "nothing was changed", problems);
}

OrRefusal<model::SpecRef> shared(codec::SpecRead read) {
  if (!read.problems.empty()) return std::unexpected(refuse_spec(read.problems));
  return std::make_shared<model::ServiceSpec const>(std::move(read.spec));
}

std::string_view name_rule() {
  return "a service's name has at most 63 characters of a-z, 0-9, '-' and '_', and begins and ends with a letter or a digit";
}

}  // namespace

OrRefusal<codec::Value> read_object(http::Request const& request, Media media, Empty empty) {
  if (request.body.empty()) {
    if (empty == Empty::Allowed) return codec::Value::object();
    return std::unexpected(
        problem(problem_kind::kMalformedJson, "the body is empty: send a JSON object, as in curl --json '{\"image\":\"nginx\"}'"));
  }
  auto const type = media_type(request);
  bool const is_merge_patch = media == Media::JsonOrMergePatch && http::equals_ignoring_case(type, kMergePatchType);
  if (!is_merge_patch && !http::equals_ignoring_case(type, kJsonType)) return std::unexpected(refuse_media(type, media));
  auto value = codec::parse_json(request.body);
  if (!value) {
    auto const& error = value.error();
    std::vector<Problem> errors;
    if (!error.field.empty()) errors.push_back({error.field, std::string(problem_code::kInvalidValue), error.message});
    return std::unexpected(problem(problem_kind::kMalformedJson, error.message, errors));
  }
  if (value->as_object()) return *std::move(value);
  return std::unexpected(problem_at(problem_kind::kInvalidRequest, "#", problem_code::kWrongType,
                                    fmt::format("expected an object, got {}", codec::describe(*value))));
}

OrRefusal<std::string> take_name(codec::Value& body, std::string_view in_path) {
  auto& object = *body.as_object();
  auto const* value = object.find("name");
  if (!value || value->is_null()) {
    if (value) object.erase("name");
    if (!in_path.empty()) return std::string(in_path);
    return std::unexpected(problem_at(problem_kind::kInvalidSpec, "#/name", problem_code::kRequired, "must be given, here or in the path"));
  }
  auto const* text = value->as_string();
  if (!text) {
    return std::unexpected(problem_at(problem_kind::kInvalidSpec, "#/name", problem_code::kWrongType,
                                      fmt::format("expected a string, got {}", codec::describe(*value))));
  }
  if (!in_path.empty() && *text != in_path) {
    return std::unexpected(problem_at(problem_kind::kInvalidSpec, "#/name", problem_code::kConflict,
                                      fmt::format("the path says '{}': a service cannot be renamed", in_path)));
  }
  if (text->empty()) {
    return std::unexpected(problem_at(problem_kind::kInvalidSpec, "#/name", problem_code::kInvalidValue, std::string(name_rule())));
  }
  auto name = *text;
  object.erase("name");
  return name;
}

OrRefusal<model::SpecRef> read_spec_of(std::string_view service, codec::Value const& body) {
  return shared(codec::read_valid_spec(service, body));
}

OrRefusal<model::SpecRef> read_patched_spec(std::string_view service, model::ServiceSpec const& now, codec::Value const& patch) {
  auto read = codec::read_valid_spec(service, codec::merge_patch(codec::write_spec(now), patch));
  for (auto& unknown : codec::read_spec(patch).problems) {
    bool const is_told = std::ranges::find(read.problems, unknown) != read.problems.end();
    if (unknown.code == problem_code::kUnknownField && !is_told) read.problems.push_back(std::move(unknown));
  }
  return shared(std::move(read));
}

OrRefusal<void> check_name(std::string_view name) {
  if (model::is_service_name(name)) return {};
  return std::unexpected(problem(problem_kind::kInvalidName, fmt::format("'{}' cannot be the name of a service: {}", name, name_rule())));
}

}  // namespace davit::api
