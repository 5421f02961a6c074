#include "core/placement/placement.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/core.h>

#include "model/instance.hpp"

namespace davit::placement {
namespace {

using model::Reason;

struct Rejection {
  Reason reason = Reason::None;
  std::string text;
};

std::optional<Rejection> reject(model::ServiceSpec const& spec, Candidate const& node) {
  if (node.status != model::NodeStatus::Up) return Rejection{Reason::NodeDown, "down"};
  if (node.availability != model::Availability::Active)
    return Rejection{Reason::NoNodeFits, std::string(model::to_string(node.availability))};
  if (!node.engine_up) return Rejection{Reason::EngineAway, "its engine does not answer"};
  if (!node.is_fenced) return Rejection{Reason::NodeUnreachable, "has not answered yet"};
  auto const& wanted = spec.resources.reservations;
  double const free_cpus = node.capacity.cpus - node.reserved.cpus;
  if (wanted.cpus > 0 && wanted.cpus > free_cpus + 1e-9) {
    return Rejection{Reason::NotEnoughCpu, fmt::format("wants {} cores, {:.2f} unreserved", wanted.cpus, std::max(0.0, free_cpus))};
  }
  Bytes const free_memory{std::max<std::int64_t>(0, node.capacity.memory.count - node.reserved.memory.count)};
  if (wanted.memory.count > free_memory.count) {
    return Rejection{Reason::NotEnoughMemory,
                     fmt::format("wants {}, {} unreserved", format_bytes(wanted.memory), format_bytes(free_memory))};
  }
  auto const most = spec.placement.max_replicas_per_node;
  if (most > 0 && node.of_service >= most)
    return Rejection{Reason::MaxPerNode, fmt::format("runs {} of at most {}", node.of_service, most)};
  return std::nullopt;
}

double free_share(Candidate const& node) {
  double const cpus = node.capacity.cpus > 0 ? 1 - node.reserved.cpus / node.capacity.cpus : 0;
  auto const memory_capacity = static_cast<double>(node.capacity.memory.count);
  double const memory = memory_capacity > 0 ? 1 - static_cast<double>(node.reserved.memory.count) / memory_capacity : 0;
  return (cpus + memory) / 2;
}

}  // namespace

Result<std::size_t> choose(model::ServiceSpec const& spec, InstanceId instance, std::span<Candidate const> candidates) {
  std::optional<std::size_t> best;
  std::map<std::string, std::int64_t> rejected;
  Reason reason = Reason::NoNodeFits;
  // Fewest of this service, most unreserved, then by hash, so that runs repeat.
  auto const rank = [&](Candidate const& node) {
    return std::tuple(node.of_service, -free_share(node), (node.id.value ^ instance.value) * 0x9e3779b97f4a7c15);
  };
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (auto rejection = reject(spec, candidates[i])) {
      ++rejected[rejection->text];
      reason = candidates.size() == 1 ? rejection->reason : Reason::NoNodeFits;
    } else if (!best || rank(candidates[i]) < rank(candidates[*best])) {
      best = i;
    }
  }
  if (best) return *best;
  std::string text = candidates.empty() ? "no worker has joined yet" : fmt::format("none of {} nodes fits:", candidates.size());
  if (candidates.size() == 1) text = fmt::format("node {}:", candidates[0].name);
  for (auto const& [why, count] : rejected) text += candidates.size() == 1 ? fmt::format(" {}", why) : fmt::format(" {} ({});", why, count);
  return fail(Code::Exhausted, std::move(text), std::string(model::to_string(reason)));
}

}  // namespace davit::placement
