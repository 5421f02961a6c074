// Schemas of what the API takes and gives, for the OpenAPI document. The spec's come from its field tables (codec/spec_schema.hpp).
#pragma once

#include "codec/value.hpp"

namespace davit::api {

codec::Value openapi_schemas();  // by name, as they stand under components/schemas

// "^(?!davit-)…$": what a service may be called.
codec::Value service_name_schema();

}  // namespace davit::api
