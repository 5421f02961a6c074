#include "api/render_explain.hpp"

#include <algorithm>
#include <cmath>

namespace davit::api {
namespace {

using codec::Value;

constexpr std::size_t kMostVerdicts = 2'000;

Value render(master::Master const& master, placement::Verdict const& verdict) {
  auto const score = verdict.score ? std::optional(std::round(*verdict.score * 1000) / 1000) : std::nullopt;
  return Value::object({{"node", master.node(verdict.node)->record.name},
                        {"fits", !verdict.filter},
                        {"filter", verdict.filter ? model::to_string(*verdict.filter) : std::string_view()},
                        {"detail", verdict.detail},
                        {"score", score ? Value(*score) : Value()}});
}

Value render(master::Master const& master, master::Unplaced const& slot) {
  Value::Array nodes;
  for (auto const& verdict : slot.nodes) nodes.push_back(render(master, verdict));
  Value::Array hints;
  for (auto const& hint : slot.would_fit) hints.emplace_back(hint);
  return Value::object({{"slot", slot.slot},
                        {"waiting_since", slot.since ? Value(format_rfc3339(*slot.since)) : Value()},
                        {"nodes", std::move(nodes)},
                        {"would_fit", std::move(hints)}});
}

}  // namespace

Value render_explain(master::Master const& master, master::Service const& service) {
  auto const most = std::max<std::size_t>(1, kMostVerdicts / std::max<std::size_t>(1, master.nodes().size()));
  Value::Array slots;
  for (auto const& slot : master.explain(service, most)) slots.push_back(render(master, slot));
  auto const verdicts = master.explain_next(service);
  Value::Array nodes;
  for (auto const& verdict : verdicts) {
    if (nodes.size() == kMostVerdicts) break;
    nodes.push_back(render(master, verdict));
  }
  auto const fits = !verdicts.empty() && !verdicts.front().filter;
  auto next =
      Value::object({{"node", fits ? Value(master.node(verdicts.front().node)->record.name) : Value()}, {"nodes", std::move(nodes)}});
  return Value::object({{"slots", std::move(slots)}, {"next", std::move(next)}});
}

}  // namespace davit::api
