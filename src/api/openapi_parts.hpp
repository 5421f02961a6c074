// What the operations of the OpenAPI document refer to: parameters, headers of answers, refusals by status.
#pragma once

#include <string_view>

#include "codec/value.hpp"

namespace davit::api {

codec::Value openapi_parameters();  // components/parameters
codec::Value openapi_headers();     // components/headers: those of answers
codec::Value openapi_header(std::string_view name);
codec::Value openapi_responses();   // components/responses: one for each status that refuses

}  // namespace davit::api
