#include "core/service/command.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::service {
namespace {

std::unexpected<Error> not_found(Command const& command) {
  return fail(Code::NotFound, fmt::format("there is no service '{}'", command.service));
}

std::unexpected<Error> being_removed(Command const& command) {
  return fail(Code::Exists, fmt::format("service '{}' is being removed; ask again once it is gone", command.service),
              std::string(kRemoving));
}

Result<std::optional<model::RequestMemo>> find_replay(std::vector<model::RequestMemo> const& requests, Command const& command) {
  if (command.request_id.empty()) return std::nullopt;
  auto const memo = std::ranges::find(requests, command.request_id, &model::RequestMemo::id);
  if (memo == requests.end()) return std::nullopt;
  if (memo->fingerprint == command.fingerprint) return *memo;
  return fail(Code::Invalid, fmt::format("Idempotency-Key '{}' was used for another request", command.request_id), "idempotency_key");
}

std::uint32_t revision_before(model::Head const& head) {
  if (head.rollout.state != model::RolloutState::None) return head.rollout.from;
  std::uint32_t newest = 0;
  for (auto const& [revision, record] : head.revisions) {
    if (revision != head.revision) newest = revision;
  }
  return newest;
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

Result<Decision> decide_on(model::Head const& head, Command const& command, Rollback const& body) {
  auto const target = body.to_revision.value_or(revision_before(head));
  auto const kept = head.revisions.find(target);
  if (kept == head.revisions.end() || (target == head.revision && !body.to_revision)) {
    auto const text = body.to_revision ? fmt::format("revision {} of service '{}' is not kept", target, command.service)
                                       : fmt::format("service '{}' has no earlier revision to go back to", command.service);
    return fail(Code::Invalid, text, "#/revision");
  }
  if (target == head.revision) return Decision{};
  auto spec = *kept->second.spec;
  spec.instances = head.spec()->instances;
  return Decision{model::RolledBack{target, std::make_shared<model::ServiceSpec const>(std::move(spec))}, {}};
}

Result<Decision> decide_on(model::Head const&, Command const&, Remove const&) { return Decision{model::RemovalRequested{}, {}}; }

}  // namespace

Result<Decision> decide(model::Head const* head, model::GoneRecord const* gone, Command const& command) {
  bool const is_remove = std::holds_alternative<Remove>(command.body);
  if (head) {
    TRY(auto memo, find_replay(head->requests, command));
    if (memo) return Decision{{}, std::move(memo)};
    if (head->removing) return is_remove ? Result<Decision>(Decision{}) : being_removed(command);
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
