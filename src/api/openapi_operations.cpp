#include "api/openapi_operations.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "api/openapi_parts.hpp"
#include "http/message.hpp"

namespace davit::api {
namespace {

using codec::Value;
using Names = std::vector<std::string_view>;

struct Answer {
  int status = 200;
  std::string_view doc;
  std::string_view schema;   // the name of one, "[Name]" for an array, "A|B" for either; empty: no body, or text
  Names headers;             // a leading "?" marks those that are there at times
  std::string_view type = "application/json";
};

struct Operation {
  std::string_view method;
  std::string_view path;
  std::string_view id;
  std::string_view tag;
  std::string_view summary;
  Names parameters;
  std::string_view body;  // the name of a schema; "?" before it: may be left out
  std::vector<Answer> answers;
  std::vector<int> refusals;  // besides those that any route may give
};

// What the server says of any request; the rest depends on the route.
std::vector<int> const kAnyRefusal{400, 401, 408, 413, 421, 431, 500, 503};
std::vector<int> const kWriteRefusal{403, 404, 409, 412, 415, 422, 507};
Names const kWriteParameters{"wait", "dry_run", "defaults", "If-Match", "Idempotency-Key"};
Names const kWriteHeaders{"?ETag", "?Davit-Revision", "?Davit-Service-Revision", "?Davit-Event-Id", "?Idempotency-Replayed"};

Names with(Names front, Names const& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

Operation write(std::string_view method, std::string_view path, std::string_view id, std::string_view summary, std::string_view body) {
  auto parameters = kWriteParameters;
  if (path.contains("{name}")) parameters.insert(parameters.begin(), "name");
  return {method,       path,       id,   "services",
          summary,      parameters, body, {{200, "It is so.", "Service|RemovedService|DryRun", kWriteHeaders}},
          kWriteRefusal};
}

Operation create(std::string_view path, std::string_view id, std::string_view summary, std::string_view body) {
  auto operation = write("POST", path, id, summary, body);
  std::erase(operation.parameters, "If-Match");  // there is nothing yet that it could match
  operation.answers.push_back({201, "The service is made.", "Service|RemovedService", with({"Location"}, kWriteHeaders)});
  return operation;
}

Operation put() {
  auto operation = write("PUT", "/services/{name}", "changeService",
                         "Changes what the body names: a merge patch. With `replace=true` the body is the whole spec, and the service is "
                         "made if there is none.",
                         "SpecPatch");
  operation.parameters.emplace_back("replace");
  operation.answers.push_back(
      {201, "With `replace=true`: the service is made.", "Service|RemovedService", with({"Location"}, kWriteHeaders)});
  return operation;
}

Operation remove() {
  auto operation = write("DELETE", "/services/{name}", "removeService", "Stops all instances and removes the service.", "");
  std::erase(operation.parameters, "defaults");
  return operation;
}

Operation read(std::string_view path, std::string_view id, std::string_view tag, std::string_view summary, Names parameters, Answer answer,
               std::vector<int> refusals = {}) {
  return {"GET", path, id, tag, summary, std::move(parameters), "", {std::move(answer)}, std::move(refusals)};
}

Operation list_services() {
  auto operation =
      read("/services", "listServices", "services", "All services, by name.", {"limit", "after", "If-None-Match", "Davit-Revision"},
           {200, "", "[ServiceEntry]", {"ETag", "Davit-Event-Id", "?Link"}});
  operation.answers.push_back({304, "Nothing has changed since the answer with that ETag.", "", {"ETag", "Davit-Event-Id"}});
  return operation;
}

Operation discover() {
  auto operation =
      read("/discovery/{name}", "discoverService", "discovery",
           "Where the ready instances of a service are. With `wait` and If-None-Match the answer comes once the list is another one "
           "than that of the tag, which holds at every master: so a proxy follows it.",
           {"name", "wait", "If-None-Match", "Davit-Revision"}, {200, "", "[Endpoint]", {"ETag"}}, {404});
  operation.answers.push_back({304, "It is still the list of that tag.", "", {"ETag"}});
  return operation;
}

Operation node_write(std::string_view method, std::string_view path, std::string_view id, std::string_view summary, std::string_view body) {
  return {method,
          path,
          id,
          "nodes",
          summary,
          {"node_name", "Davit-Revision"},
          body,
          {{200, "It is so.", "Node", {"Davit-Revision", "Davit-Event-Id"}}},
          {403, 404, 409, 415, 422, 507}};
}

Operation drain() {
  auto operation =
      node_write("POST", "/nodes/{name}/drain", "drainNode",
                 "Moves all instances to other nodes, the new one first where the service allows it, and takes no new ones. An instance "
                 "that fits nowhere else stays.",
                 "?NoMembers");
  operation.parameters.emplace_back("wait");
  return operation;
}

Operation rebalance() {
  return {"POST",
          "/rebalance",
          "rebalance",
          "nodes",
          "Moves instances to nodes that carry less. Only of services that are as they should be; with `dry_run` says what would move.",
          {"wait", "dry_run", "max_moves", "Davit-Revision"},
          "?NoMembers",
          {{200, "The moves: begun, or done after `wait`.", "Rebalance", {"Davit-Event-Id"}}},
          {403, 415, 422}};
}

Operation health() {
  auto operation =
      read("/healthz", "getHealth", "server", "Whether this server acts and, if it is a worker too, its engine answers. Needs no token.",
           {}, {200, "All is well.", "Health", {}});
  operation.answers.push_back({503, "Something is wrong; `reasons` says what.", "Health", {}});
  return operation;
}

Operation logs() {
  auto operation = read("/services/{name}/logs", "readLogs", "services",
                        "What the instances print, merged by time; with `follow` as it comes, also of instances that join later. A node "
                        "that is silent is a line of warning.",
                        {"name", "follow", "tail", "since", "stream", "slot", "previous"}, {200, "", "", {}, "text/plain"}, {404});
  operation.answers.front().doc = "Text, or one JSON object a line if `Accept` asks for application/x-ndjson.";
  return operation;
}

std::vector<Operation> operations() {
  Names const page{"limit", "after", "Davit-Revision"};
  return {
      list_services(),
      create("/services", "createService",
             "Makes a service. `{\"name\":\"web\",\"image\":\"nginx\",\"ports\":[80],\"instances\":3}` is a whole request.", "NewService"),
      read("/services/{name}", "getService", "services", "A service with its spec, status and instances.",
           {"name", "defaults", "Davit-Revision"}, {200, "", "Service", {"ETag", "Davit-Event-Id"}}, {404}),
      create("/services/{name}", "createNamedService", "Makes a service of that name.", "Spec"),
      put(),
      write("PATCH", "/services/{name}", "patchService", "Changes what the body names: a merge patch (RFC 7396).", "SpecPatch"),
      remove(),
      write("POST", "/services/{name}/restart", "restartService", "Replaces every container, as an update does.", "?NoMembers"),
      write("POST", "/services/{name}/rollback", "rollBackService", "Goes back to an earlier revision; `instances` stays.", "?Rollback"),
      write("POST", "/services/{name}/pause", "pauseService",
            "Holds the update that is under way: what it has begun is finished, nothing more is begun.", "?NoMembers"),
      write("POST", "/services/{name}/resume", "resumeService",
            "Goes on with an update that was paused, or that stopped because new instances failed.", "?NoMembers"),
      read("/services/{name}/instances", "listInstances", "services", "All instances of a service, by slot.",
           with({"name", "limit", "after_instance"}, {"Davit-Revision"}), {200, "", "[Instance]", {"?Davit-Event-Id", "?Link"}}, {404}),
      read("/services/{name}/history", "getHistory", "services", "The events of the service's journal, oldest first.",
           {"name", "Davit-Revision"}, {200, "", "[HistoryEvent]", {}}, {404}),
      read("/services/{name}/explain", "explainService", "services",
           "Why instances have no node: for each slot that waits what keeps it off each node, and what would let it fit.",
           {"name", "Davit-Revision"}, {200, "", "Explanation", {}}, {404}),
      logs(),
      discover(),
      read("/http_sd", "listTargets", "discovery",
           "The ready instances of all services, or of `service`, as Prometheus's `http_sd_configs` reads them.",
           {"one_service", "Davit-Revision"}, {200, "", "[TargetGroup]", {}}, {404}),
      read("/events", "followEvents", "events", "Changes as they happen, as server-sent events.",
           {"service", "node", "type", "since_id", "last_event_id", "Last-Event-ID"},
           {200, "`id`, `event` and `data`, which is an Event.", "", {}, "text/event-stream"}),
      read("/members", "listMembers", "nodes", "The nodes of the cluster, in brief.", page,
           {200, "", "[Member]", {"Davit-Event-Id", "?Link"}}),
      read("/nodes", "listNodes", "nodes", "The nodes of the cluster.", page, {200, "", "[Node]", {"Davit-Event-Id", "?Link"}}),
      read("/nodes/{name}", "getNode", "nodes", "One node, by name or id.", {"node_name", "Davit-Revision"}, {200, "", "Node", {}}, {404}),
      node_write("PATCH", "/nodes/{name}", "patchNode", "Changes labels and availability: a merge patch.", "NodePatch"),
      drain(),
      node_write("POST", "/nodes/{name}/activate", "activateNode", "Takes instances again, after a drain or a pause.", "?NoMembers"),
      node_write("POST", "/nodes/{name}/mark-down", "markNodeDown",
                 "Declares a node down that does not answer, whatever the downing policy holds back: what ran on it is started elsewhere.",
                 "?NoMembers"),
      node_write("DELETE", "/nodes/{name}", "removeNode", "Takes a node that is down out of the cluster. It is a new one if it comes back.",
                 ""),
      rebalance(),
      health(),
      read("/version", "getVersion", "server", "What runs here.", {}, {200, "", "Version", {}}),
      read("/metrics", "getMetrics", "server", "For Prometheus.", {}, {200, "The text format.", "", {}, "text/plain"}),
      read("/openapi.json", "getOpenApi", "server", "This document.", {}, {200, "", "Document", {}}),
  };
}

// ---- From the table to the document

Value component(std::string_view kind, std::string_view name) {
  return Value::object({{"$ref", fmt::format("#/components/{}/{}", kind, name)}});
}

Value schema_named(std::string_view name) {
  if (name == "Document") return Value::object({{"type", "object"}});
  if (name.starts_with('[')) return Value::object({{"type", "array"}, {"items", schema_named(name.substr(1, name.size() - 2))}});
  if (!name.contains('|')) return component("schemas", name);
  Value either = Value::array();
  while (!name.empty()) {
    auto const end = std::min(name.find('|'), name.size());
    either.push(schema_named(name.substr(0, end)));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return Value::object({{"anyOf", std::move(either)}});
}

Value render(Answer const& answer) {
  auto rendered = Value::object({{"description", answer.doc.empty() ? http::reason_phrase(answer.status) : answer.doc}});
  Value headers = Value::object();
  for (auto name : answer.headers) {
    bool const is_sure = !name.starts_with('?');
    if (!is_sure) name.remove_prefix(1);
    headers.set(name, is_sure ? openapi_header(name).set("required", true) : component("headers", name));
  }
  if (!headers.members().empty()) rendered.set("headers", std::move(headers));
  if (answer.status == 304) return rendered;
  auto const schema = answer.schema.empty() ? Value::object({{"type", "string"}}) : schema_named(answer.schema);
  auto content = Value::object({{answer.type, Value::object({{"schema", schema}})}});
  if (answer.type == "text/plain" && answer.doc.contains("x-ndjson")) {
    content.set("application/x-ndjson",
                Value::object({{"schema", Value::object({{"type", "string"}, {"$comment", "each line is a LogLine"}})}}));
  }
  return rendered.set("content", std::move(content));
}

Value small_body(std::string_view name) {
  if (name == "NoMembers") return Value::object({{"type", "object"}, {"additionalProperties", false}});
  auto const revision = Value::object(
      {{"type", Value::array("integer", "null")}, {"minimum", 1}, {"maximum", UINT32_MAX}, {"description", "Absent: the one before."}});
  return Value::object({{"type", "object"}, {"properties", Value::object({{"revision", revision}})}, {"additionalProperties", false}});
}

Value render_body(std::string_view name) {
  bool const is_required = !name.starts_with('?');
  auto const schema = is_required ? schema_named(name) : small_body(name.substr(1));
  auto content = Value::object({{"application/json", Value::object({{"schema", schema}})}});
  if (name == "SpecPatch" || name == "NodePatch") content.set("application/merge-patch+json", Value::object({{"schema", schema}}));
  return Value::object({{"required", is_required}, {"content", std::move(content)}});
}

std::string lower(std::string_view method) {
  std::string text(method);
  for (auto& c : text) c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Value render(Operation const& operation) {
  auto rendered = Value::object({{"operationId", operation.id}, {"tags", Value::array(operation.tag)}, {"summary", operation.summary}});
  if (operation.path == "/healthz") rendered.set("security", Value::array());
  Value parameters = Value::array();
  for (auto const name : operation.parameters) parameters.push(component("parameters", name));
  if (!parameters.items().empty()) rendered.set("parameters", std::move(parameters));
  if (!operation.body.empty()) rendered.set("requestBody", render_body(operation.body));
  std::map<std::string, Value> responses;
  for (auto const& list : {kAnyRefusal, operation.refusals}) {
    for (auto const status : list) responses[std::to_string(status)] = component("responses", std::to_string(status));
  }
  for (auto const& answer : operation.answers) responses[std::to_string(answer.status)] = render(answer);
  Value by_status = Value::object();
  for (auto& [status, response] : responses) by_status.set(status, std::move(response));
  return rendered.set("responses", std::move(by_status));
}

}  // namespace

Value openapi_paths() {
  Value paths = Value::object();
  for (auto const& operation : operations()) {
    auto* methods = paths.as_object()->find(operation.path);
    if (!methods) methods = &paths.as_object()->set(operation.path, Value::object());
    methods->set(lower(operation.method), render(operation));
  }
  return paths;
}

}  // namespace davit::api
