#include "core/placement/filter.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace davit::placement {
namespace {

using model::Constraint;
using model::Reason;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_same_word(std::string_view a, std::string_view b) {  // docker compares without regard to case
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view usual_arch(std::string_view arch) {
  if (is_same_word(arch, "x86_64")) return "amd64";
  if (is_same_word(arch, "aarch64")) return "arm64";
  return arch;
}

std::string_view os_of(std::string_view platform) { return platform.substr(0, platform.find('/')); }
std::string_view arch_of(std::string_view platform) {
  auto const slash = platform.find('/');
  if (slash == std::string_view::npos) return {};
  auto const rest = platform.substr(slash + 1);
  return rest.substr(0, rest.find('/'));  // without a variant, as in linux/arm/v7
}

bool has_role(Traits const& traits, std::string_view role) {
  return std::ranges::any_of(traits.roles, [&](model::Role each) { return is_same_word(model::to_string(each), role); });
}

std::string_view label_of(Traits const& traits, std::string const& key) {
  auto const found = traits.labels.find(key);
  return found == traits.labels.end() ? std::string_view() : std::string_view(found->second);
}

bool is_equal(Traits const& traits, Constraint const& constraint) {
  switch (constraint.subject) {
    case Constraint::Subject::Id: return is_same_word(to_string(traits.id), constraint.value);
    case Constraint::Subject::Name: return is_same_word(traits.name, constraint.value);
    case Constraint::Subject::Role: return has_role(traits, constraint.value);
    case Constraint::Subject::Os: return is_same_word(os_of(traits.platform), constraint.value);
    case Constraint::Subject::Arch: return is_same_word(usual_arch(arch_of(traits.platform)), usual_arch(constraint.value));
    case Constraint::Subject::Label: return is_same_word(label_of(traits, constraint.label), constraint.value);
  }
  return false;
}

std::string actual(Traits const& traits, Constraint const& constraint) {
  switch (constraint.subject) {
    case Constraint::Subject::Id: return to_string(traits.id);
    case Constraint::Subject::Name: return traits.name;
    case Constraint::Subject::Role: {
      std::string all;
      for (auto const role : traits.roles) all += fmt::format("{}{}", all.empty() ? "" : ",", model::to_string(role));
      return all;
    }
    case Constraint::Subject::Os:
    case Constraint::Subject::Arch: return traits.platform.empty() ? "unknown" : traits.platform;
    case Constraint::Subject::Label: return std::string(label_of(traits, constraint.label));
  }
  return {};
}

Constraint const* first_unmet(Request const& request, Traits const& traits, bool of_platform) {
  for (auto const& constraint : request.kind.eligibility.constraints) {
    if (constraint.is_of_platform() == of_platform && !matches(traits, constraint)) return &constraint;
  }
  return nullptr;
}

std::string constraint_detail(Constraint const* constraint, Traits const& traits) {
  if (!constraint) return {};
  auto const is = actual(traits, *constraint);
  return fmt::format("{}, {}", to_text(*constraint), is.empty() ? "has no such label" : "is " + is);
}

std::string status_detail(Condition const& condition) {
  if (condition.status != model::NodeStatus::Up) return std::string(model::to_string(condition.status));
  return "has not answered yet";
}

std::string cores_text(std::int64_t microcores) { return fmt::format("{:.4g}", model::cores(microcores)); }

}  // namespace

bool matches(Traits const& traits, Constraint const& constraint) { return is_equal(traits, constraint) == constraint.is_equal; }

bool matches_all(Traits const& traits, std::vector<Constraint> const& constraints) {
  return std::ranges::all_of(constraints, [&](Constraint const& each) { return matches(traits, each); });
}

bool takes_part(Room const& room) {
  auto const& is = room.condition;
  return is.is_member && is.status == model::NodeStatus::Up && is.has_answered && is.engine_up &&
         is.availability == model::Availability::Active && room.is_worker;
}

bool has_resources(Room const& room, Amount const& wanted) {
  auto const free = room.condition.capacity - room.reserved;
  return (wanted.microcores == 0 || wanted.microcores <= free.microcores) && (wanted.memory == 0 || wanted.memory <= free.memory);
}

bool rejects(Filter filter, Request const& request, Sight const& sight) {
  auto const& condition = sight.room.condition;
  auto const& wanted = request.kind.reserved;
  switch (filter) {
    case Filter::Status:
      return !condition.is_member || condition.status != model::NodeStatus::Up || (condition.engine_up && !condition.has_answered);
    case Filter::Engine: return !condition.engine_up;
    case Filter::Availability: return condition.availability != model::Availability::Active;
    case Filter::Role: return !sight.room.is_worker;
    case Filter::Constraint: return first_unmet(request, sight.traits, false) != nullptr;
    case Filter::Platform: return first_unmet(request, sight.traits, true) != nullptr;
    case Filter::Volume: return sight.has_volume_elsewhere;
    case Filter::Cpu: return !has_resources(sight.room, {wanted.microcores, 0});
    case Filter::Memory: return !has_resources(sight.room, {0, wanted.memory});
    case Filter::HostPort: return sight.taken_port.has_value();
    case Filter::MaxPerNode: return request.max_per_node > 0 && sight.of_service >= request.max_per_node;
    case Filter::Refused: return sight.refusal != nullptr;
  }
  return false;
}

std::optional<Filter> first_rejection(Request const& request, Sight const& sight) {
  for (auto const& [filter, name] : model::EnumNames<Filter>::kAll) {
    if (rejects(filter, request, sight)) return filter;
  }
  return std::nullopt;
}

std::string detail(Filter filter, Request const& request, Sight const& sight) {
  auto const& room = sight.room;
  auto const free = room.condition.capacity - room.reserved;
  auto const& wanted = request.kind.reserved;
  switch (filter) {
    case Filter::Status: return status_detail(room.condition);
    case Filter::Engine: return "its engine does not answer";
    case Filter::Availability: return std::string(model::to_string(room.condition.availability));
    case Filter::Role: return "is no worker";
    case Filter::Constraint: return constraint_detail(first_unmet(request, sight.traits, false), sight.traits);
    case Filter::Platform: return constraint_detail(first_unmet(request, sight.traits, true), sight.traits);
    case Filter::Volume: return "the slot's volume is on another node";
    case Filter::Cpu:
      return fmt::format("wants {} cores, {} unreserved", cores_text(wanted.microcores),
                         cores_text(std::max<std::int64_t>(0, free.microcores)));
    case Filter::Memory:
      return fmt::format("wants {}, {} unreserved", format_bytes({wanted.memory}), format_bytes({std::max<std::int64_t>(0, free.memory)}));
    case Filter::HostPort:
      return fmt::format("port {}/{} is taken", sight.taken_port->number, model::to_string(sight.taken_port->protocol));
    case Filter::MaxPerNode: return fmt::format("runs {} of at most {}", sight.of_service, request.max_per_node);
    case Filter::Refused: return sight.refusal->message;
  }
  return {};
}

Reason reason_of(Filter filter, Sight const& sight) {
  switch (filter) {
    case Filter::Status: return sight.room.condition.status == model::NodeStatus::Up ? Reason::NodeUnreachable : Reason::NodeDown;
    case Filter::Engine: return Reason::EngineAway;
    case Filter::Cpu: return Reason::NotEnoughCpu;
    case Filter::Memory: return Reason::NotEnoughMemory;
    case Filter::HostPort: return Reason::HostPortInUse;
    case Filter::MaxPerNode: return Reason::MaxPerNode;
    case Filter::Refused: return sight.refusal->reason;
    case Filter::Availability:
    case Filter::Role:
    case Filter::Constraint:
    case Filter::Platform:
    case Filter::Volume: return Reason::NoNodeFits;
  }
  return Reason::NoNodeFits;
}

}  // namespace davit::placement
