#include "sim/scenario/container_watch.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "sim/scenario/script.hpp"

namespace davit::sim {
namespace {

std::string label_of(model::ContainerDetail const& container, char const* key) {
  auto const found = container.labels.find(key);
  return found == container.labels.end() ? std::string{} : found->second;
}

bool is_well(model::ContainerDetail const& detail) {
  return detail.state == model::ContainerState::Running && detail.health != model::Health::Unhealthy &&
         detail.health != model::Health::Starting;
}

}  // namespace

std::string slot_name(ContainerRun const& run) { return fmt::format("{}.{}", run.service, run.slot); }

void ContainerWatch::look() {
  auto const now = cluster_.loop().now().monotonic;
  std::map<Key, std::size_t> seen;
  for (auto& agent : cluster_.agents()) look_at(*agent, seen);
  for (auto const& [key, index] : open_) {
    if (seen.contains(key)) continue;
    auto& run = runs_[index];
    run.to = now;
    run.is_well = false;
    auto const agent = std::ranges::find_if(cluster_.agents(), [&](auto const& each) { return each->machine().name() == key.node; });
    auto const* container = (*agent)->engine().find(key.id);
    told_(run, container ? &container->detail : nullptr);
  }
  open_ = std::move(seen);
  count(now);
}

void ContainerWatch::look_at(AgentNode& agent, std::map<Key, std::size_t>& seen) {
  for (auto const& [id, container] : agent.engine().containers()) {
    auto const& detail = container.detail;
    if (!container.is_alive() || detail.name.starts_with(kForeign)) continue;
    Key key{agent.machine().name(), id, container.starts};
    auto const known = open_.find(key);
    if (known == open_.end()) {
      runs_.push_back({.service = label_of(detail, "davit.service"),
                       .uid = label_of(detail, "davit.uid"),
                       .slot = parse_count(label_of(detail, "davit.slot")).value_or(0),
                       .revision = parse_count(label_of(detail, "davit.revision")).value_or(0),
                       .node = agent.machine().name(),
                       .container = detail.name,
                       .from = cluster_.loop().now().monotonic,
                       .to = {}});
      told_(runs_.back(), nullptr);
    }
    auto const index = known == open_.end() ? runs_.size() - 1 : known->second;
    runs_[index].is_well = is_well(detail);
    seen.emplace(std::move(key), index);
  }
}

void ContainerWatch::count(Monotonic now) {
  for (auto& [service, fewest] : fewest_) fewest = std::min(fewest, slots_well(service));
  std::map<Slot, std::size_t> filled;
  std::map<Slot, std::string> services;
  for (auto const& [key, index] : open_) {
    Slot const slot{runs_[index].uid, runs_[index].slot};
    ++filled[slot];
    services[slot] = runs_[index].service;
  }
  std::erase_if(doubled_since_, [&](auto const& each) { return filled[each.first] < 2; });
  for (auto const& [slot, number] : filled) {
    if (number < 2) continue;
    auto const since = doubled_since_.try_emplace(slot, now).first->second;
    auto& longest = longest_double_[services[slot]];
    longest = std::max(longest, now - since + Duration(1ms));  // seen once counts too
  }
}

void ContainerWatch::mark() {
  marked_at_ = cluster_.loop().now().monotonic;
  fewest_.clear();
  for (auto& run : runs_) {
    run.is_marked = !run.to.has_value();
    if (run.is_marked) fewest_.try_emplace(run.service, slots_well(run.service));
  }
}

std::vector<ContainerRun const*> ContainerWatch::running(std::string_view service) const {
  std::vector<ContainerRun const*> found;
  for (auto const& [key, index] : open_) {
    if (runs_[index].service == service) found.push_back(&runs_[index]);
  }
  return found;
}

std::size_t ContainerWatch::slots_well(std::string_view service) const {
  std::set<std::int64_t> slots;
  for (auto const* run : running(service)) {
    if (run->is_well) slots.insert(run->slot);
  }
  return slots.size();
}

std::size_t ContainerWatch::fewest_since_mark(std::string const& service) const {
  auto const found = fewest_.find(service);
  return found == fewest_.end() ? 0 : found->second;
}

Duration ContainerWatch::longest_double(std::string const& service) const {
  auto const found = longest_double_.find(service);
  return found == longest_double_.end() ? Duration{} : found->second;
}

}  // namespace davit::sim
