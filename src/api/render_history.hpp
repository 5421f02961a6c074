// The journal of a service as its users read it (GET /services/{name}/history). Pure; any thread.
#pragma once

#include <span>

#include "codec/value.hpp"
#include "model/journal.hpp"

namespace davit::api {

// An array of the events, oldest first, the last of which led to `head`. Generation and revision are those after the event;
// they are null where the events that are no longer kept would be needed.
codec::Value render_history(model::Head const& head, std::span<model::JournalEvent const> events);

}  // namespace davit::api
