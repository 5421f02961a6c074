// GET /services/{name}/explain: why slots have no node.
#pragma once

#include "codec/value.hpp"
#include "core/master/master.hpp"

namespace davit::api {

// Each waiting slot costs a verdict for each node, so that of many only the first are explained.
codec::Value render_explain(master::Master const& master, master::Service const& service);

}  // namespace davit::api
