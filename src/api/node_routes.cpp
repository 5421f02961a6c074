#include "api/node_routes.hpp"

#include <algorithm>
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
  auto const found = std::ranges::find_if(
      master.nodes(), [&](master::Node const& node) { return node.record.name == name_or_id || (id && node.record.id == *id); });
  return found == master.nodes().end() ? nullptr : &*found;
}

namespace {

http::Response list(Call const& call, codec::Value (*render)(master::Master const&, master::Node const&)) {
  if (auto refused = refuse_early_read(call)) return *std::move(refused);
  auto const page = read_page(call.request);
  if (!page) return problem_of(page.error());
  std::map<std::string_view, master::Node const*> by_name;
  for (auto const& node : call.context.master().nodes()) {
    if (node.is_recorded || node.is_connected) by_name.emplace(node.record.name, &node);
  }
  codec::Value::Array items;
  auto at = page->after.empty() ? by_name.begin() : by_name.upper_bound(page->after);
  std::string_view last;
  for (; at != by_name.end() && items.size() < page->limit.value_or(by_name.size()); ++at) {
    items.push_back(render(call.context.master(), *at->second));
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
  auto const* node = find_node(master, context.node);
  if (!node || !node->is_connected) reasons.push_back(fmt::format("the agent of node {} has not reported", context.node));
  else if (!node->facts.engine_up)
    reasons.push_back(fmt::format("the engine of node {} does not answer: {}", context.node, node->facts.engine_message));
  return reasons;
}

}  // namespace

http::Response list_members(Call const& call) { return list(call, render_member); }
http::Response list_nodes(Call const& call) { return list(call, render_node); }

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
