// What users may ask of a service, and what follows in its journal: pure decisions, free of stores and agents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "model/command.hpp"
#include "model/journal.hpp"
#include "model/records.hpp"
#include "model/spec.hpp"

namespace davit::service {

using model::Command;
using model::CommandBody;
using model::Create;
using model::Move;
using model::Pause;
using model::Remove;
using model::Replace;
using model::Restart;
using model::Resume;
using model::Rollback;

// `replayed`: the request was carried out before; nothing is to be done. No event and not replayed: it changes nothing.
struct Decision {
  std::optional<model::EventBody> event;
  std::optional<model::RequestMemo> replayed;
};

// Error::field of a refusal that ends by itself: the service is being removed.
inline constexpr std::string_view kRemoving = "removing";

// `head` is null when there is no such service; `gone` is what was left of the last one of that name.
Result<Decision> decide(model::Head const* head, model::GoneRecord const* gone, Command const& command);

}  // namespace davit::service
