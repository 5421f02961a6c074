// Choosing services by label. Lists do not carry labels, so each service is asked for.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "cli/session.hpp"

namespace davit::cli {

// Leaves in the list of services those whose labels fit "key" or "key=value".
Status keep_labelled(Session& session, std::string_view selector, codec::Value& list);

}  // namespace davit::cli
