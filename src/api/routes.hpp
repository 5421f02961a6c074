// All there is to ask. Pure; any thread.
#pragma once

#include <vector>

#include "api/router.hpp"

namespace davit::api {

std::vector<Route> all_routes();

}  // namespace davit::api
