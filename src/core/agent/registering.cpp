// What clients find in the registry: the published ports of instances that are ready.
#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/loopback.hpp"
#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

constexpr Duration kLeaveLimit = 1s;  // for a stop to wait until the registry has answered that the instance has left it

bool is_any(std::string_view address) { return address.empty() || address == "0.0.0.0" || address == "::"; }

// As DNS can carry it.
std::string registered_name(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

// Through the port that clients use: it is what the registry's agent can reach, and proves more than the container's own address.
std::optional<model::RegistryCheck> check_at(model::PublishedPort const& port, std::optional<model::Healthcheck> const& health) {
  if (!health || health->disable || port.protocol != model::Protocol::Tcp) return std::nullopt;
  auto const probed = health->http ? health->http->port : health->tcp ? health->tcp->port : 0;
  if (probed != port.target) return std::nullopt;
  return model::RegistryCheck{.path = health->http ? std::optional(health->http->path) : std::nullopt,
                              .interval = health->interval,
                              .timeout = health->timeout,
                              .retries = health->retries};
}

}  // namespace

// An instance that the owner has not confirmed yet has no spec, which says how its ports are called: what is registered of it stays; also
// while it is probed for the first time by this process, which does not know yet that it serves.
void Agent::keep_registered() {
  if (!options_.has_registry || !state_.cluster) {
    unregistered_.clear();
    return;
  }
  if (!registrar_) registrar_.emplace(model::RegistryMark{*state_.cluster, state_.node, "instance"});
  for (auto const id : std::exchange(unregistered_, {})) {
    auto const* instance = find(id);
    bool const is_found = instance && is_ready(*instance);
    bool const is_untried = instance && instance->phase == Phase::Adopted && instance->probe && !instance->probe->was_tried();
    if (is_untried || (is_found && !instance->spec)) tell_registrar(registry::Kept{to_string(id)});
    else tell_registrar(registry::Wanted{to_string(id), is_found ? entries_of(*instance) : std::vector<model::RegistryEntry>()});
  }
  if (is_complete_ && !std::exchange(has_told_registrar_all_, true)) tell_registrar(registry::AllKnown{});
  if (registrar_->wake_at() <= now_.monotonic) tell_registrar(registry::Tick{});
  drain_those_who_left();
}

void Agent::on(RegistryAnswered const& event) {
  CHECK(registrar_);
  tell_registrar(event.what);
}

void Agent::tell_registrar(registry::Event const& event) {
  registry::Actions actions;
  registrar_->step(now_, event, actions);
  for (auto& action : actions) {
    if (auto* call = std::get_if<registry::Call>(&action)) out_->push_back(AskRegistry{std::move(*call)});
    else if (auto* said = std::get_if<registry::Noted>(&action)) out_->push_back(Noted{said->is_warning, std::move(said->text)});
  }
}

// No port that only this node can reach, unless the whole node is so.
std::vector<model::RegistryEntry> Agent::entries_of(Instance const& instance) const {
  std::vector<model::RegistryEntry> entries;
  auto const& identity = instance.identity;
  for (auto const& wanted : instance.spec->ports) {
    auto const port = std::ranges::find_if(
        instance.ports, [&](auto const& each) { return each.target == wanted.target && each.protocol == wanted.protocol; });
    if (port == instance.ports.end() || port->published == 0) continue;
    auto const& own = options_.facts.address;
    auto const& address = is_any(port->address) ? own : port->address;
    if (is_loopback(address) && address != own) continue;
    auto const name = &wanted == &instance.spec->ports.front()
                          ? identity.service
                          : fmt::format("{}-{}", identity.service, wanted.name.empty() ? std::to_string(wanted.target) : wanted.name);
    auto const protocol = model::to_string(port->protocol);
    entries.push_back(
        {.id = fmt::format("davit-{}-{}-{}-{}", to_string(*state_.cluster), to_string(identity.instance), port->target, protocol),
         .service = registered_name(name),
         .address = address,
         .port = port->published,
         .tags = {"davit", std::string(protocol), fmt::format("slot-{}", identity.slot), fmt::format("revision-{}", identity.revision)},
         .meta = {{"node", options_.facts.name},
                  {"service", identity.service},
                  {"slot", std::to_string(identity.slot)},
                  {"revision", std::to_string(identity.revision)}},
         .check = check_at(*port, instance.spec->healthcheck)});
  }
  return entries;
}

// How long its drain may have to wait for it.
Duration Agent::leave_registry(Instance const& instance) {
  if (!registrar_ || registrar_->is_gone(to_string(instance.identity.instance))) return Duration::zero();
  leaving_.insert(instance.identity.instance);
  return kLeaveLimit;
}

// The delay is for those who found the instance: it counts from when nobody can find it any more.
void Agent::drain_those_who_left() {
  std::erase_if(leaving_, [this](InstanceId id) {
    auto* instance = find(id);
    if (!instance) return true;
    if (!registrar_->is_gone(to_string(id))) return false;
    instance->drain_until = std::min(instance->drain_until, now_.monotonic + drain_delay_of(*instance));
    if (instance->phase == Phase::Drain) wake(*instance, instance->drain_until);
    return true;
  });
}

}  // namespace davit::agent
