// GET /openapi.json: the OpenAPI 3.1 document of what this server does, with the schemas of the spec's field tables.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace davit::api {

// Made at the first call and shared from then on: several hundred kilobytes of text do not change while the process lives.
std::shared_ptr<std::string const> openapi_document(std::string_view version);

}  // namespace davit::api
