// Every refusal of the API: RFC 9457 problems (api.md, "Error"). One table of kinds, from which docs and OpenAPI are written.
// Clients switch over `code`; `detail` is for people and names the way out. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/message.hpp"
#include "model/problem.hpp"

namespace davit::api {

struct ProblemKind {
  std::string_view code;
  int status = 500;
  std::string_view title;
};

namespace problem_kind {
inline constexpr ProblemKind kBadRequest{"bad_request", 400, "This is not a request that can be read"};
inline constexpr ProblemKind kBadHeader{"bad_header", 400, "A header cannot be read"};
inline constexpr ProblemKind kBadParameter{"bad_parameter", 400, "A query parameter is unknown or cannot be read"};
inline constexpr ProblemKind kMalformedJson{"malformed_json", 400, "The body is not JSON"};
inline constexpr ProblemKind kUnauthorized{"unauthorized", 401, "A token is needed"};
inline constexpr ProblemKind kCrossSite{"cross_site", 403, "A web page of another site may not do this"};
inline constexpr ProblemKind kNoSuchRoute{"no_such_route", 404, "There is nothing at this path"};
inline constexpr ProblemKind kServiceNotFound{"service_not_found", 404, "No such service"};
inline constexpr ProblemKind kNodeNotFound{"node_not_found", 404, "No such node"};
inline constexpr ProblemKind kMethodNotAllowed{"method_not_allowed", 405, "This path does not take that method"};
inline constexpr ProblemKind kTimeout{"request_timeout", 408, "The request took too long to arrive"};
inline constexpr ProblemKind kServiceExists{"service_exists", 409, "The service exists already"};
inline constexpr ProblemKind kServiceRemoving{"service_removing", 409, "The service is being removed"};
inline constexpr ProblemKind kNodeState{"node_state", 409, "The node's state does not allow it"};
inline constexpr ProblemKind kStale{"stale_generation", 412, "The service has changed since it was read"};
inline constexpr ProblemKind kBodyTooLarge{"body_too_large", 413, "The body is too large"};
inline constexpr ProblemKind kMediaType{"unsupported_media_type", 415, "The body's type is not taken here"};
inline constexpr ProblemKind kForeignHost{"foreign_host", 421, "This server does not answer to that name"};
inline constexpr ProblemKind kInvalidSpec{"invalid_spec", 422, "Invalid spec"};
inline constexpr ProblemKind kInvalidName{"invalid_name", 422, "Invalid service name"};
inline constexpr ProblemKind kInvalidRequest{"invalid_request", 422, "Invalid request"};
inline constexpr ProblemKind kKeyReused{"idempotency_key_reused", 422, "The Idempotency-Key belongs to another request"};
inline constexpr ProblemKind kUnsupported{"unsupported", 422, "Not supported by this version"};
inline constexpr ProblemKind kHeaderTooLarge{"header_too_large", 431, "The header is too large"};
inline constexpr ProblemKind kInternal{"internal", 500, "An internal error"};
inline constexpr ProblemKind kUnavailable{"unavailable", 503, "Not possible right now"};
inline constexpr ProblemKind kStoreFull{"store_full", 507, "No space is left for durable state"};
}  // namespace problem_kind

std::span<ProblemKind const> all_problem_kinds();

http::Response problem(ProblemKind const& kind, std::string detail, std::vector<model::Problem> const& errors = {});
// One thing is wrong at one place: "#/name", "?limit".
http::Response problem_at(ProblemKind const& kind, std::string pointer, std::string_view code, std::string detail);
// Of what the master or a parser refused. 503 and the 409 of a removal carry Retry-After.
http::Response problem_of(Error const& error);
// Of what the HTTP server refuses by itself.
http::Response protocol_problem(int status, std::string detail);

http::Response service_not_found(std::string_view name);
http::Response node_not_found(std::string_view name);

}  // namespace davit::api
