#include <array>

#include <fmt/core.h>

#include "adapters/link_grpc/wire_values.hpp"

namespace davit::link_grpc {
namespace {

Epoch get(wire::Epoch const& message) { return {message.era(), message.revision()}; }
Fence get(wire::Fence const& message) { return {{static_cast<std::uint16_t>(message.shard() % kShards)}, get(message.epoch())}; }
std::vector<Fence> get(google::protobuf::RepeatedPtrField<wire::Fence> const& messages) {
  std::vector<Fence> all;
  for (auto const& each : messages) all.push_back(get(each));
  return all;
}
ServiceUid get(wire::Uid const& message) { return {message.era(), message.revision()}; }

// A word that is empty or of a newer version is `otherwise`.
template <class Word>
Word word(std::string const& text, Word otherwise) {
  return model::parse_enum<Word>(text).value_or(otherwise);
}

template <class Word>
Result<Word> word(std::string const& text) {
  if (auto const known = model::parse_enum<Word>(text)) return *known;
  return fail(Code::Unsupported, fmt::format("the word '{}' of a newer davit", text));
}

Monotonic time(std::int64_t count) { return Monotonic(Duration(count)); }

// ---- to agents

model::Welcome get(wire::Welcome const& message) {
  model::Welcome value{.cluster = {message.cluster()}, .incarnation = message.incarnation(), .masters = {}, .as_of = get(message.as_of())};
  for (auto const& each : message.masters()) value.masters.push_back({{each.id()}, each.address()});
  return value;
}

Result<model::RunInstance> get(Wire& wire, wire::RunInstance const& message) {
  TRY(auto spec, wire.read(message.spec()));
  return model::RunInstance{.fence = get(message.fence()),
                            .incarnation = message.incarnation(),
                            .id = {message.id()},
                            .uid = get(message.uid()),
                            .service = message.service(),
                            .slot = message.slot(),
                            .revision = message.revision(),
                            .spec = std::move(spec),
                            .digest = message.digest(),
                            .token = message.token(),
                            .stop_after = Duration(message.stop_after())};
}

model::StopInstance get(wire::StopInstance const& message) {
  return {.fence = get(message.fence()),
          .id = {message.id()},
          .uid = get(message.uid()),
          .slot = message.slot(),
          .reason = word(message.reason(), model::Reason::None),
          .token = message.token()};
}

model::BeatBack get(wire::BeatBack const& message) {
  model::BeatBack value{.stamp = time(message.stamp()), .interval = Duration(message.interval()), .grant = {}};
  if (message.has_grant()) value.grant = model::Grant{time(message.grant().agent_clock()), message.grant().incarnation()};
  return value;
}

Result<model::Endpoint> get(InstanceId instance, wire::Endpoint const& message) {
  TRY(auto const protocol, word<model::Protocol>(message.protocol()));
  return model::Endpoint{.instance = instance,
                         .slot = message.slot(),
                         .node = message.node(),
                         .address = message.address(),
                         .port = static_cast<std::uint16_t>(message.port()),
                         .target = static_cast<std::uint16_t>(message.target()),
                         .name = message.name(),
                         .protocol = protocol};
}

Result<model::ServiceChange> get(wire::ServiceChange const& message) {
  model::ServiceChange value{.name = message.name(), .is_gone = message.is_gone(), .instances = {}, .ingress = {}};
  for (auto const& each : message.instances()) {
    model::ServiceChange::OfInstance of{{each.instance()}, {}};
    for (auto const& endpoint : each.endpoints()) {
      if (auto read = get(of.instance, endpoint)) of.endpoints.push_back(*std::move(read));  // else it is of a newer version
    }
    value.instances.push_back(std::move(of));
  }
  if (!message.has_ingress()) return value;
  value.ingress.emplace();
  for (auto const& port : message.ingress()) {
    TRY(auto const protocol, word<model::Protocol>(port.protocol()));
    value.ingress->push_back({.published = static_cast<std::uint16_t>(port.published()),
                              .target = static_cast<std::uint16_t>(port.target()),
                              .protocol = protocol,
                              .proxy_protocol = port.proxy_protocol()});
  }
  return value;
}

Result<model::DirectoryChanged> get(wire::DirectoryChanged const& message) {
  model::DirectoryChanged value{
      .is_first = message.is_first(), .is_whole = message.is_whole(), .is_over = message.is_over(), .services = {}, .nodes = {}};
  for (auto const& each : message.services()) {
    TRY(auto change, get(each));
    value.services.push_back(std::move(change));
  }
  for (auto const& each : message.nodes()) value.nodes.push_back({each.name(), each.address()});
  return value;
}

// ---- to masters

Result<model::NodeFacts> get(wire::Facts const& message) {
  model::NodeFacts value{.id = {message.id()},
                         .name = message.name(),
                         .address = message.address(),
                         .link_port = static_cast<std::uint16_t>(message.link_port()),
                         .roles = {},
                         .labels = {},
                         .engine = {.version = message.engine().version(),
                                    .api_version = message.engine().api_version(),
                                    .platform = message.engine().platform(),
                                    .cpus = message.engine().cpus(),
                                    .memory = {message.engine().memory()}},
                         .engine_up = message.engine_up(),
                         .engine_message = message.engine_message()};
  for (auto const& each : message.roles()) {
    TRY(auto const role, word<model::Role>(each));
    value.roles.push_back(role);
  }
  for (auto const& label : message.labels()) value.labels[label.key()] = label.value();
  return value;
}

Result<model::InstanceReport> get(wire::InstanceReport const& message) {
  model::InstanceReport value{.id = {message.id()},
                              .uid = get(message.uid()),
                              .service = message.service(),
                              .slot = message.slot(),
                              .revision = message.revision(),
                              .token = message.token(),
                              .fence = get(message.fence()),
                              .ready = message.ready(),
                              .reason = word(message.reason(), model::Reason::None),
                              .message = message.message(),
                              .restarts = message.restarts(),
                              .failures = message.failures(),
                              .container = {message.container_id(), message.container_name(), message.container_address()},
                              .previous_container = message.previous_container(),
                              .digest = message.digest(),
                              .created_ago = Duration(message.created_ago()),
                              .state_ago = Duration(message.state_ago()),
                              .ready_ago = Duration(message.ready_ago()),
                              .served_for = Duration(message.served_for()),
                              .was_found = message.was_found()};
  TRY(value.state, word<model::InstanceState>(message.state()));
  TRY(value.health, word<model::Health>(message.health()));
  if (message.has_exit_code()) value.exit_code = message.exit_code();
  if (message.has_started_ago()) value.started_ago = Duration(message.started_ago());
  if (message.has_next_start_in()) value.next_start_in = Duration(message.next_start_in());
  for (auto const& port : message.ports()) {
    TRY(auto const protocol, word<model::Protocol>(port.protocol()));
    value.ports.push_back({.name = port.name(),
                           .target = static_cast<std::uint16_t>(port.target()),
                           .protocol = protocol,
                           .address = port.address(),
                           .published = static_cast<std::uint16_t>(port.published())});
  }
  return value;
}

Result<model::FencesStored> get(wire::FencesStored const& message) {
  model::FencesStored value{.round = message.round(), .fences = get(message.fences()), .all = {}, .asker = {message.asker()}};
  for (auto const& each : message.all()) {
    TRY(auto report, get(each));
    value.all.push_back(std::move(report));
  }
  return value;
}

model::Verdict get(wire::Verdict const& message) {
  return {.id = {message.id()},
          .uid = get(message.uid()),
          .slot = message.slot(),
          .admitted = message.admitted(),
          .reason = word(message.reason(), model::Reason::None),
          .message = message.message()};
}

std::optional<model::Pressure> get_pressure(wire::Beat const& message) {
  if (!message.has_pressure()) return std::nullopt;
  auto const& pressure = message.pressure();
  return model::Pressure{pressure.cpu(), pressure.memory(), pressure.io()};
}

model::Beat get(wire::Beat const& message) {
  return {.load = {.cpus_used = message.cpus_used(),
                   .load_1m = message.load_1m(),
                   .memory_used = {message.memory_used()},
                   .pressure = get_pressure(message)},
          .incarnation = message.incarnation(),
          .agent_clock = time(message.agent_clock()),
          .echo = time(message.echo()),
          .wall = Wall(std::chrono::milliseconds(message.wall_ms()))};
}

model::InstancesMeasured get(wire::InstancesMeasured const& message) {
  model::InstancesMeasured value;
  value.some.reserve(static_cast<std::size_t>(message.some_size()));
  for (auto const& each : message.some()) {
    value.some.push_back({{each.id()}, get(each.uid()), each.slot(), {each.millicores(), each.memory_kib()}});
  }
  return value;
}

// ---- between masters

Result<model::CommandBody> get_body(Wire& wire, wire::Command const& message) {
  switch (message.body_case()) {
    case wire::Command::kCreate: {
      TRY(auto spec, wire.read(message.create()));
      return model::CommandBody(model::Create{std::move(spec)});
    }
    case wire::Command::kReplace: {
      TRY(auto spec, wire.read(message.replace().spec()));
      return model::CommandBody(model::Replace{std::move(spec), message.replace().create_if_absent()});
    }
    case wire::Command::kRestart: return model::CommandBody(model::Restart{});
    case wire::Command::kRollback: {
      model::Rollback rollback;
      if (message.rollback().has_to_revision()) rollback.to_revision = message.rollback().to_revision();
      return model::CommandBody(rollback);
    }
    case wire::Command::kRemove: return model::CommandBody(model::Remove{});
    case wire::Command::kPause: return model::CommandBody(model::Pause{});
    case wire::Command::kResume: return model::CommandBody(model::Resume{});
    case wire::Command::kMove: {
      model::Move move;
      for (auto const& each : message.move().targets()) move.targets.push_back({each.slot(), {each.id()}, {each.to()}});
      return model::CommandBody(std::move(move));
    }
    case wire::Command::BODY_NOT_SET: break;
  }
  return fail(Code::Unsupported, "a command of a newer davit");
}

Result<model::Command> get(Wire& wire, wire::Command const& message) {
  TRY(auto body, get_body(wire, message));
  model::Command value{.service = message.service(),
                       .author = message.author(),
                       .request_id = message.request_id(),
                       .fingerprint = message.fingerprint(),
                       .if_generation = {},
                       .body = std::move(body)};
  if (message.has_if_generation()) value.if_generation = message.if_generation();
  if (message.has_if_uid()) value.if_uid = get(message.if_uid());
  return value;
}

Result<model::NodeCommand> get(wire::NodeCommand const& message) {
  model::NodeCommand value{.node = {message.node()}, .labels = {}, .availability = {}};
  for (auto const& each : message.labels()) value.labels[each.key()] = each.has_value() ? std::optional(each.value()) : std::nullopt;
  if (!message.availability().empty()) {
    TRY(value.availability, word<model::Availability>(message.availability()));
  }
  value.mark_down = message.mark_down();
  value.forget = message.forget();
  return value;
}

Result<model::Forward> get(Wire& wire, wire::Forward const& message) {
  if (message.has_about_node()) {
    TRY(auto command, get(message.about_node()));
    return model::Forward{message.id(), std::move(command)};
  }
  TRY(auto command, get(wire, message.about_service()));
  return model::Forward{message.id(), std::move(command)};
}

model::ForwardAnswered get(wire::ForwardAnswered const& message) {
  model::ForwardAnswered value{.id = message.id(), .outcome = model::Applied{}, .is_elsewhere = message.is_elsewhere()};
  if (message.has_failure()) {
    value.outcome = std::unexpected(link_grpc::get(message.failure()));
    return value;
  }
  auto const& applied = message.applied();
  value.outcome = model::Applied{.generation = applied.generation(),
                                 .revision = applied.revision(),
                                 .store_revision = applied.store_revision(),
                                 .created = applied.created(),
                                 .replayed = applied.replayed(),
                                 .unchanged = applied.unchanged()};
  return value;
}

// What is known of a relayed message; an unknown one inside makes the whole unknown.
template <class Message>
Result<std::optional<model::PeerMessage>> relayed(NodeId node, Result<std::optional<Message>> inner) {
  if (!inner) return std::unexpected(inner.error());
  if (!*inner) return std::optional<model::PeerMessage>();
  if constexpr (std::is_same_v<Message, model::ToAgent>)
    return std::optional<model::PeerMessage>(model::RelayToAgent{node, **std::move(inner)});
  else return std::optional<model::PeerMessage>(model::RelayFromAgent{node, **std::move(inner)});
}

}  // namespace

Accepted get(wire::Accepted const& message) { return {{message.master()}, {message.cluster()}, message.name()}; }

WantLogs get(wire::WantLogs const& message) {
  WantLogs value{.id = message.id(),
                 .query = {.container = message.container(),
                           .follow = message.follow(),
                           .tail = {},
                           .since = {},
                           .with_stdout = message.with_stdout(),
                           .with_stderr = message.with_stderr()}};
  if (message.has_tail()) value.query.tail = message.tail();
  if (message.has_since_ms()) value.query.since = Wall(std::chrono::milliseconds(message.since_ms()));
  return value;
}

Error get(wire::Failure const& message) {
  constexpr std::array kCodes{Code::Invalid,  Code::NotFound,       Code::Exists,    Code::Stale, Code::Fenced,      Code::Unavailable,
                              Code::Deadline, Code::UnknownOutcome, Code::Exhausted, Code::Full,  Code::Unsupported, Code::Internal};
  Error error{Code::Internal, message.message(), message.field()};
  for (auto const code : kCodes) {
    if (to_string(code) == message.code()) error.code = code;
  }
  return error;
}

Result<std::optional<model::ToAgent>> get(Wire& wire, wire::ToAgent const& message) {
  if (message.has_welcome()) return std::optional<model::ToAgent>(get(message.welcome()));
  if (message.has_fence()) {
    return std::optional<model::ToAgent>(
        model::FenceShards{message.fence().round(), get(message.fence().fences()), {message.fence().asker()}});
  }
  if (message.has_run()) {
    TRY(auto run, get(wire, message.run()));
    return std::optional<model::ToAgent>(std::move(run));
  }
  if (message.has_stop()) return std::optional<model::ToAgent>(get(message.stop()));
  if (message.has_beat_back()) return std::optional<model::ToAgent>(get(message.beat_back()));
  if (message.has_directory_changed()) {
    TRY(auto changed, get(message.directory_changed()));
    return std::optional<model::ToAgent>(std::move(changed));
  }
  return std::optional<model::ToAgent>();
}

Result<std::optional<model::ToMaster>> get(wire::ToMaster const& message) {
  if (message.has_hello()) {
    TRY(auto facts, get(message.hello().facts()));
    return std::optional<model::ToMaster>(model::AgentHello{std::move(facts), message.hello().incarnation()});
  }
  if (message.has_fences_stored()) {
    TRY(auto stored, get(message.fences_stored()));
    return std::optional<model::ToMaster>(std::move(stored));
  }
  if (message.has_verdict()) return std::optional<model::ToMaster>(get(message.verdict()));
  if (message.has_changed()) {
    TRY(auto report, get(message.changed()));
    return std::optional<model::ToMaster>(model::InstanceChanged{std::move(report)});
  }
  if (message.has_gone()) {
    auto const& gone = message.gone();
    return std::optional<model::ToMaster>(model::InstanceGone{{gone.id()}, get(gone.uid()), gone.slot(), gone.token()});
  }
  if (message.has_beat()) return std::optional<model::ToMaster>(get(message.beat()));
  if (message.has_facts_changed()) {
    TRY(auto facts, get(message.facts_changed()));
    return std::optional<model::ToMaster>(model::FactsChanged{std::move(facts)});
  }
  if (message.has_measured()) return std::optional<model::ToMaster>(get(message.measured()));
  if (message.has_follow_directory()) return std::optional<model::ToMaster>(model::FollowDirectory{message.follow_directory().is_wanted()});
  return std::optional<model::ToMaster>();
}

Result<std::optional<model::PeerMessage>> get(Wire& wire, wire::PeerMessage const& message) {
  if (message.has_forward()) {
    TRY(auto forward, get(wire, message.forward()));
    return std::optional<model::PeerMessage>(std::move(forward));
  }
  if (message.has_forward_answered()) return std::optional<model::PeerMessage>(get(message.forward_answered()));
  if (message.has_hears()) {
    model::Hears hears;
    for (auto const node : message.hears().nodes()) hears.nodes.push_back({node});
    return std::optional<model::PeerMessage>(std::move(hears));
  }
  if (message.has_subscribe())
    return std::optional<model::PeerMessage>(model::Subscribe{{message.subscribe().node()}, message.subscribe().is_wanted()});
  if (message.has_relay_dropped()) return std::optional<model::PeerMessage>(model::RelayDropped{{message.relay_dropped().node()}});
  if (message.has_relay_to_agent()) {
    auto const& relay = message.relay_to_agent();
    return relayed<model::ToAgent>({relay.node()}, get(wire, relay.message()));
  }
  if (message.has_relay_from_agent()) {
    auto const& relay = message.relay_from_agent();
    return relayed<model::ToMaster>({relay.node()}, get(relay.message()));
  }
  return std::optional<model::PeerMessage>();
}

}  // namespace davit::link_grpc
