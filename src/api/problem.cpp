#include "api/problem.hpp"

#include <array>

#include <fmt/core.h>

#include "codec/json.hpp"
#include "core/service/command.hpp"
#include "model/command.hpp"

namespace davit::api {
namespace {

using namespace problem_kind;

constexpr std::array kAll{kBadRequest,      kBadHeader,       kBadParameter,   kMalformedJson,    kUnauthorized, kCrossSite,
                          kNoSuchRoute,     kServiceNotFound, kNodeNotFound,   kMethodNotAllowed, kTimeout,      kServiceExists,
                          kServiceRemoving, kNodeState,       kStale,          kBodyTooLarge,     kMediaType,    kForeignHost,
                          kInvalidSpec,     kInvalidName,     kInvalidRequest, kKeyReused,        kUnsupported,  kHeaderTooLarge,
                          kInternal,        kUnavailable,     kStoreFull};

http::Response with_retry(http::Response response) {
  response.headers.add("Retry-After", "1");
  return response;
}

http::Response invalid(Error const& error) {
  if (error.field == "idempotency_key") return problem(kKeyReused, error.message);
  if (error.field == model::kNodeField) return problem(kNodeState, error.message);
  if (error.field.starts_with('?')) return problem_at(kBadParameter, error.field, model::problem_code::kInvalidValue, error.message);
  if (error.field.starts_with('#')) return problem_at(kInvalidRequest, error.field, model::problem_code::kInvalidValue, error.message);
  if (!error.field.empty()) return problem_at(kBadHeader, error.field, model::problem_code::kInvalidValue, error.message);
  return problem(kInvalidRequest, error.message);
}

}  // namespace

std::span<ProblemKind const> all_problem_kinds() { return kAll; }

http::Response problem(ProblemKind const& kind, std::string detail, std::vector<model::Problem> const& errors) {
  auto body = codec::Value::object({{"type", fmt::format("/problems/{}", kind.code)},
                                    {"code", kind.code},
                                    {"title", kind.title},
                                    {"status", kind.status},
                                    {"detail", std::move(detail)}});
  if (!errors.empty()) {
    codec::Value::Array items;
    for (auto const& each : errors) {
      items.push_back(codec::Value::object({{"pointer", each.pointer}, {"code", each.code}, {"detail", each.detail}}));
    }
    body.set("errors", std::move(items));
  }
  return {.status = kind.status,
          .headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}},
          .body = codec::dump(body) + "\n"};
}

http::Response problem_at(ProblemKind const& kind, std::string pointer, std::string_view code, std::string detail) {
  return problem(kind, detail, {{std::move(pointer), std::string(code), detail}});
}

http::Response problem_of(Error const& error) {
  switch (error.code) {
    case Code::Invalid: return invalid(error);
    case Code::NotFound: return problem(error.field == model::kNodeField ? kNodeNotFound : kServiceNotFound, error.message);
    case Code::Exists:
      if (error.field == service::kRemoving) return with_retry(problem(kServiceRemoving, error.message));
      return problem(kServiceExists, error.message);
    case Code::Stale: return problem(kStale, error.message);
    case Code::Full: return problem(kStoreFull, error.message);
    case Code::Unsupported: return problem(kUnsupported, error.message);
    case Code::Fenced:
    case Code::Unavailable:
    case Code::Deadline:
    case Code::UnknownOutcome:
    case Code::Exhausted: return with_retry(problem(kUnavailable, error.message));
    case Code::Internal: return problem(kInternal, error.message);
  }
  return problem(kInternal, error.message);
}

http::Response protocol_problem(int status, std::string detail) {
  for (auto const& kind : {kTimeout, kBodyTooLarge, kHeaderTooLarge, kInternal}) {
    if (kind.status == status) return problem(kind, std::move(detail));
  }
  if (status == kUnavailable.status) return with_retry(problem(kUnavailable, std::move(detail)));
  return problem({kBadRequest.code, status, kBadRequest.title}, std::move(detail));
}

http::Response service_not_found(std::string_view name) {
  return problem(kServiceNotFound, fmt::format("there is no service '{}': davit service ls shows those there are", name));
}

http::Response node_not_found(std::string_view name) {
  return problem(kNodeNotFound, fmt::format("there is no node '{}': davit node ls shows those there are", name));
}

}  // namespace davit::api
