#include "api/openapi.hpp"

#include "api/openapi_operations.hpp"
#include "api/openapi_parts.hpp"
#include "api/openapi_schemas.hpp"
#include "codec/json.hpp"

namespace davit::api {
namespace {

using codec::Value;

constexpr std::string_view kDescription =
    "Runs containers as services on a cluster of machines. Every path also stands under /v1, and /service/{name} is the same as "
    "/services/{name}. "
    "Request fields and parameters that are not known are refused; clients must ignore answer fields that they do not know.";

Value make_document(std::string_view version) {
  auto const bearer = Value::object(
      {{"type", "http"}, {"scheme", "bearer"}, {"description", "The token of --api-token-file; the unix socket needs none."}});
  return Value::object({{"openapi", "3.1.0"},
                        {"info", Value::object({{"title", "Davit"}, {"version", version}, {"description", kDescription}})},
                        {"servers", Value::array(Value::object({{"url", "/"}}))},
                        {"security", Value::array(Value::object(), Value::object({{"bearer", Value::array()}}))},
                        {"paths", openapi_paths()},
                        {"components", Value::object({{"securitySchemes", Value::object({{"bearer", bearer}})},
                                                      {"parameters", openapi_parameters()},
                                                      {"headers", openapi_headers()},
                                                      {"responses", openapi_responses()},
                                                      {"schemas", openapi_schemas()}})}});
}

}  // namespace

std::shared_ptr<std::string const> openapi_document(std::string_view version) {
  static auto const document = std::make_shared<std::string const>(codec::dump(make_document(version)) + "\n");
  return document;
}

}  // namespace davit::api
