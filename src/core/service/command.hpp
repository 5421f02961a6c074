// What users may ask of a service, and what follows in its journal: pure decisions, free of stores and agents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "model/journal.hpp"
#include "model/records.hpp"
#include "model/spec.hpp"

namespace davit::service {

struct Create {
  model::SpecRef spec;
};
struct Replace {
  model::SpecRef spec;
  bool create_if_absent = false;
};
struct Restart {};
struct Rollback {
  std::optional<std::uint32_t> to_revision;  // absent: the one before
};
struct Remove {};
using CommandBody = std::variant<Create, Replace, Restart, Rollback, Remove>;

struct Command {
  std::string service;
  std::string author;
  std::string request_id;         // the user's Idempotency-Key, or one made at the entry
  std::uint64_t fingerprint = 0;  // of what is asked: the same id with another request is refused
  std::optional<std::uint64_t> if_generation;
  CommandBody body;
};

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
