#include "api/routes.hpp"

#include "api/discovery.hpp"
#include "api/events_route.hpp"
#include "api/logs_route.hpp"
#include "api/node_routes.hpp"
#include "api/node_writes.hpp"
#include "api/rebalance.hpp"
#include "api/service_reads.hpp"
#include "api/service_writes.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

asio::awaitable<void> async_events(Call call, http::ResponseWriter* writer) {
  co_await async_serve_events(call.context, call.request, *writer);
}
asio::awaitable<void> async_logs(Call call, http::ResponseWriter* writer) {
  co_await async_serve_logs(call.context, std::move(call.name), call.request, *writer);
}

}  // namespace

std::vector<Route> all_routes() {
  return {
      {"GET", "/services", {"limit", "after"}, Read(list_services)},
      {"POST", "/services", {"wait", "dry_run", "defaults"}, Task(async_create)},
      {"GET", "/services/{name}", {"defaults"}, Read(get_service)},
      {"POST", "/services/{name}", {"wait", "dry_run", "defaults"}, Task(async_create)},
      {"PUT", "/services/{name}", {"wait", "dry_run", "defaults", "replace"}, Task(async_put)},
      {"PATCH", "/services/{name}", {"wait", "dry_run", "defaults"}, Task(async_patch)},
      {"DELETE", "/services/{name}", {"wait", "dry_run"}, Task(async_remove)},
      {"POST", "/services/{name}/restart", {"wait", "dry_run", "defaults"}, Task(async_restart)},
      {"POST", "/services/{name}/rollback", {"wait", "dry_run", "defaults"}, Task(async_rollback)},
      {"POST", "/services/{name}/pause", {"wait", "dry_run", "defaults"}, Task(async_pause)},
      {"POST", "/services/{name}/resume", {"wait", "dry_run", "defaults"}, Task(async_resume)},
      {"GET", "/services/{name}/instances", {"limit", "after"}, Stream(async_send_instances)},
      {"GET", "/services/{name}/history", {}, Task(async_get_history)},
      {"GET", "/services/{name}/explain", {}, Read(explain_service)},
      {"GET", "/services/{name}/logs", {"follow", "tail", "since", "stream", "slot", "previous"}, Stream(async_logs)},
      {"GET", "/discovery/{name}", {"wait"}, Task(async_discover)},
      {"GET", "/http_sd", {"service"}, Read(list_targets)},
      {"GET", "/events", {"service", "node", "type", "since_id", "last_event_id"}, Stream(async_events)},
      {"GET", "/members", {"limit", "after"}, Read(list_members)},
      {"GET", "/nodes", {"limit", "after"}, Read(list_nodes)},
      {"GET", "/nodes/{name}", {}, Read(get_node)},
      {"PATCH", "/nodes/{name}", {}, Task(async_patch_node)},
      {"POST", "/nodes/{name}/drain", {"wait"}, Task(async_drain_node)},
      {"POST", "/nodes/{name}/activate", {}, Task(async_activate_node)},
      {"POST", "/nodes/{name}/mark-down", {}, Task(async_mark_node_down)},
      {"DELETE", "/nodes/{name}", {}, Task(async_remove_node)},
      {"POST", "/rebalance", {"wait", "dry_run", "max_moves"}, Task(async_rebalance)},
      {"GET", "/healthz", {}, Read(get_health)},
      {"GET", "/version", {}, Read(get_version)},
      {"GET", "/metrics", {}, Read(get_metrics)},
      {"GET", "/openapi.json", {}, Read(get_openapi)},
  };
}

}  // namespace davit::api
