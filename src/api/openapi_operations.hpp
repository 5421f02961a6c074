// What each route takes and what it may answer, for the OpenAPI document.
#pragma once

#include "codec/value.hpp"

namespace davit::api {

codec::Value openapi_paths();  // "/services/{name}" → method → operation

}  // namespace davit::api
