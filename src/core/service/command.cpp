#include "core/service/command.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/planted.hpp"
#include "core/service/rollout.hpp"

namespace davit::service {
namespace {

using model::RolloutState;

std::unexpected<Error> not_found(Command const& command) {
  return fail(Code::NotFound, fmt::format("there is no service '{}'", command.service));
}

std::unexpected<Error> being_removed(Command const& command) {
  return fail(Code::Exists, fmt::format("service '{}' is being removed; ask again once it is gone", command.service),
              std::string(kRemoving));
}

Result<std::optional<model::RequestMemo>> find_replay(std::vector<model::RequestMemo> const& requests, Command const& command) {
  if (command.request_id.empty() || planted(Bug::IgnoresRequestIds)) return std::nullopt;
  auto const memo = std::ranges::find(requests, command.request_id, &model::RequestMemo::id);
  if (memo == requests.end()) return std::nullopt;
  if (memo->fingerprint == command.fingerprint) return *memo;
  return fail(Code::Invalid, fmt::format("Idempotency-Key '{}' was used for another request", command.request_id), "idempotency_key");
}

// One that was in place as a whole, of a service whose last way was none back; 0 if there is none.
std::uint32_t revision_before(model::Head const& head) {
  return head.rollout.state == RolloutState::None ? head.revision_before : head.rollout.from;
}

std::unexpected<Error> no_rollout(Command const& command) {
  return fail(Code::Invalid, fmt::format("no update of service '{}' is under way; to replace its containers, restart it", command.service));
}

Result<Decision> decide_on(model::Head const&, Command const& command, Create const&) {
  return fail(Code::Exists, fmt::format("'{}' can be changed with PUT (davit service update), or removed first", command.service));
}

Result<Decision> decide_on(model::Head const& head, Command const&, Replace const& body) {
  auto const& now = *head.spec();
  if (now == *body.spec) return Decision{};
  bool const replaces = change_between(now, *body.spec) == model::Change::Replace;
  return Decision{model::SpecChanged{body.spec, replaces}, {}};
}

Result<Decision> decide_on(model::Head const&, Command const&, Restart const&) { return Decision{model::ServiceRestarted{}, {}}; }

std::string kept_revisions(model::Head const& head) {
  std::string all;
  for (auto const& [revision, record] : head.revisions) {
    if (revision != head.revision) all += fmt::format("{}{}", all.empty() ? "" : ", ", revision);
  }
  return all.empty() ? "none" : all;
}

// From where a rollback has led, the one before may be what it led away from, which nobody means who asks for it twice.
bool was_last_a_rollback(model::Head const& head) { return head.revision < head.last_revision; }

Result<Decision> decide_on(model::Head const& head, Command const& command, Rollback const& body) {
  bool const is_on_its_way = head.rollout.is_under_way() && head.rollout.is_automatic;
  if (!body.to_revision && is_on_its_way) return Decision{};
  if (!body.to_revision && was_last_a_rollback(head)) {
    return fail(Code::Invalid,
                fmt::format("service '{}' has gone back to revision {} already; say which revision to go to (there are: {})",
                            command.service, head.revision, kept_revisions(head)),
                "#/revision");
  }
  auto const target = body.to_revision.value_or(revision_before(head));
  auto const kept = head.revisions.find(target);
  if (kept == head.revisions.end() || (target == head.revision && !body.to_revision)) {
    auto const text = body.to_revision ? fmt::format("revision {} of service '{}' is not kept; there are: {}", target, command.service,
                                                     kept_revisions(head))
                                       : fmt::format("service '{}' has no earlier revision to go back to", command.service);
    return fail(Code::Invalid, text, "#/revision");
  }
  if (target == head.revision) return Decision{};
  return Decision{roll_back(head, target), {}};
}

Result<Decision> decide_on(model::Head const& head, Command const& command, Pause const&) {
  switch (head.rollout.state) {
    case RolloutState::Active: return Decision{model::RolloutPaused{}, {}};
    case RolloutState::Paused:
    case RolloutState::Stopped: return Decision{};
    case RolloutState::None:
    case RolloutState::Incomplete:
    case RolloutState::RolledBack: return no_rollout(command);
  }
  return no_rollout(command);
}

Result<Decision> decide_on(model::Head const& head, Command const& command, Resume const&) {
  switch (head.rollout.state) {
    case RolloutState::Paused:
    case RolloutState::Stopped: return Decision{model::RolloutResumed{}, {}};
    case RolloutState::Active: return Decision{};
    case RolloutState::None:
    case RolloutState::Incomplete:
    case RolloutState::RolledBack: return no_rollout(command);
  }
  return no_rollout(command);
}

// The master's machine carries it out.
Result<Decision> decide_on(model::Head const&, Command const&, Move const&) { return Decision{}; }

Result<Decision> decide_on(model::Head const&, Command const&, Remove const&) { return Decision{model::RemovalRequested{}, {}}; }

}  // namespace

Result<Decision> decide(model::Head const* head, model::GoneRecord const* gone, Command const& command) {
  bool const is_remove = std::holds_alternative<Remove>(command.body);
  if (head) {
    TRY(auto memo, find_replay(head->requests, command));
    if (memo) return Decision{{}, std::move(memo)};
    if (head->removing) return is_remove ? Result<Decision>(Decision{}) : being_removed(command);
    if (command.if_uid && *command.if_uid != head->uid)
      return fail(Code::Stale, fmt::format("service '{}' was removed and made anew meanwhile: read it again", command.service));
    if (command.if_generation && *command.if_generation != head->generation) {
      return fail(Code::Stale, fmt::format("service '{}' is at generation {}, not {}: read it again", command.service, head->generation,
                                           *command.if_generation));
    }
    return std::visit([&](auto const& body) { return decide_on(*head, command, body); }, command.body);
  }
  if (gone) {
    TRY(auto memo, find_replay(gone->requests, command));
    if (memo) return Decision{{}, std::move(memo)};
  }
  if (auto const* create = std::get_if<Create>(&command.body)) return Decision{model::ServiceCreated{create->spec}, {}};
  auto const* replace = std::get_if<Replace>(&command.body);
  if (!replace || !replace->create_if_absent) return not_found(command);
  if (command.if_generation) return fail(Code::Stale, fmt::format("there is no service '{}' that If-Match could match", command.service));
  return Decision{model::ServiceCreated{replace->spec}, {}};
}

}  // namespace davit::service
