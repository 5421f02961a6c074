#include "api/node_routes.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/core.h>

#include "api/answer.hpp"
#include "api/event_log.hpp"
#include "api/metrics.hpp"
#include "api/openapi.hpp"
#include "api/problem.hpp"
#include "api/render_node.hpp"
#include "api/request_options.hpp"
#include "api/service_reads.hpp"

namespace davit::api {

master::Node const* find_node(master::Master const& master, std::string_view name_or_id) {
  auto const id = parse_id<NodeId>(name_or_id);
  master::Node const* found = nullptr;
  for (auto const& node : master.nodes()) {
    if (id && node.record.id == *id) return &node;
    // The name of one that is down is free, and another one may have it by now.
    bool const is_better = !found || !found->is_recorded || (node.is_recorded && found->is_down() && !node.is_down());
    if (node.record.name == name_or_id && is_better) found = &node;
  }
  return found;
}

namespace {

using Rendering = std::function<codec::Value()>;
using ByName = std::multimap<std::string_view, Rendering>;  // a master beside a worker may have the host's name as well

template <class Render>
ByName nodes_by_name(Context const& context, Render render) {
  ByName all;
  for (auto const& node : context.master().nodes()) {
    if (node.is_recorded || node.is_connected)
      all.emplace(node.record.name, [&context, &node, render] { return render(context.master(), node); });
  }
  return all;
}

// A page ends between two names, never between two of the same.
http::Response list(Call const& call, ByName const& by_name) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const page = read_page(call.request);
  if (!page) return problem_of(page.error());
  codec::Value::Array items;
  auto at = page->after.empty() ? by_name.begin() : by_name.upper_bound(page->after);
  std::string_view last;
  for (; at != by_name.end() && (items.size() < page->limit.value_or(by_name.size()) || at->first == last); ++at) {
    items.push_back(at->second());
    last = at->first;
  }
  auto response = answer(200, std::move(items));
  response.headers.add("Davit-Event-Id", call.context.events.newest_id());
  if (at != by_name.end()) response.headers.add("Link", next_link(call.request, last));
  return response;
}

std::vector<std::string> why_not_healthy(Context const& context) {
  std::vector<std::string> reasons;
  auto const& master = context.master();
  switch (master.phase()) {
    case master::Phase::Loading: reasons.emplace_back("the store is being read"); break;
    case master::Phase::Joining: reasons.emplace_back("the master has no valid session in the store"); break;
    case master::Phase::Left: reasons.emplace_back("the master is stopping"); break;
    case master::Phase::Active: break;
  }
  if (!context.is_worker) return reasons;
  auto const* node = find_node(master, context.node);
  if (!node || !node->is_connected) reasons.push_back(fmt::format("the agent of node {} has not reported", context.node));
  else if (!node->facts.engine_up)
    reasons.push_back(fmt::format("the engine of node {} does not answer: {}", context.node, node->facts.engine_message));
  return reasons;
}

}  // namespace

// Masters that run no instances are no nodes of the store: they are there as long as their keys.
http::Response list_members(Call const& call) {
  auto const& master = call.context.master();
  auto by_name = nodes_by_name(call.context, render_member);
  for (auto const& [id, kept] : master.view().masters) {
    auto const is_same = [&](master::Node const& node) { return node.record.id == id && (node.is_recorded || node.is_connected); };
    if (std::ranges::any_of(master.nodes(), is_same)) continue;
    by_name.emplace(kept.record.name, [&record = kept.record] { return render_master(record); });
  }
  return list(call, by_name);
}

http::Response list_nodes(Call const& call) { return list(call, nodes_by_name(call.context, render_node)); }

http::Response get_node(Call const& call) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const* node = find_node(call.context.master(), call.name);
  if (!node) return node_not_found(call.name);
  return answer(200, render_node(call.context.master(), *node));
}

http::Response get_health(Call const& call) {
  auto const reasons = why_not_healthy(call.context);
  if (reasons.empty()) return answer(200, codec::Value::object({{"status", "ok"}, {"version", call.context.version}}));
  codec::Value::Array items;
  for (auto const& reason : reasons) items.emplace_back(reason);
  return answer(503, codec::Value::object({{"status", "unavailable"}, {"reasons", std::move(items)}}));
}

http::Response get_version(Call const& call) {
  auto body = codec::Value::object({{"version", call.context.version}, {"api_version", "v1"}, {"node", call.context.node}});
  if (auto const* node = find_node(call.context.master(), call.context.node)) {
    auto const& engine = node->facts.engine;
    body.set("engine", codec::Value::object({{"version", engine.version}, {"api", engine.api_version}, {"platform", engine.platform}}));
  }
  return answer(200, body);
}

http::Response get_metrics(Call const& call) {
  return {.status = 200,
          .headers = {{"Content-Type", std::string(Metrics::kContentType)}, {"Cache-Control", "no-store"}},
          .body = call.context.metrics.expose(call.context.master())};
}

http::Response get_openapi(Call const& call) {
  return {.status = 200, .headers = {{"Content-Type", std::string(kJson)}}, .body = openapi_document(call.context.version)};
}

}  // namespace davit::api
