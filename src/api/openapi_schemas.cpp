#include "api/openapi_schemas.hpp"

#include <initializer_list>

#include "api/problem.hpp"
#include "codec/spec_schema.hpp"
#include "core/placement/filter.hpp"
#include "core/service/status.hpp"
#include "model/instance.hpp"
#include "model/node.hpp"

namespace davit::api {
namespace {

using codec::Value;

constexpr std::string_view kNodeMessage = "Why a node that is unreachable is not declared down; or that its clock is off.";

Value typed(std::string_view type, std::string_view doc) {
  auto schema = Value::object({{"type", type}});
  if (!doc.empty()) schema.set("description", doc);
  return schema;
}
Value text(std::string_view doc = {}) { return typed("string", doc); }
Value flag(std::string_view doc) { return typed("boolean", doc); }
Value number(std::string_view doc) { return typed("number", doc); }
Value count(std::string_view doc) { return typed("integer", doc).set("minimum", 0); }
Value time(std::string_view doc) { return text(doc).set("format", "date-time"); }
Value or_null(Value schema) {
  auto& type = *schema.as_object()->find("type");
  type = Value::array(std::move(type), "null");
  return schema;
}
Value ref(std::string_view name) { return Value::object({{"$ref", "#/components/schemas/" + std::string(name)}}); }
Value list_of(Value items, std::string_view doc = {}) { return typed("array", doc).set("items", std::move(items)); }

template <model::NamedEnum E>
Value word(std::string_view doc) {
  Value words = Value::array();
  for (auto const& [value, name] : model::EnumNames<E>::kAll) words.push(name);
  return text(doc).set("enum", std::move(words));
}

// All of these members are in every answer, `maybe` in some. Clients must bear others: newer servers have more.
Value object(std::string_view doc, std::initializer_list<codec::Entry> always, std::initializer_list<codec::Entry> maybe = {}) {
  Value required = Value::array();
  Value properties = Value::object();
  for (auto const& [name, schema] : always) {
    required.push(name);
    properties.set(name, std::move(schema));
  }
  for (auto const& [name, schema] : maybe) properties.set(name, std::move(schema));
  auto result = typed("object", doc).set("properties", std::move(properties));
  if (!required.items().empty()) result.set("required", std::move(required));
  return result;
}

Value amount(std::string_view doc) { return object(doc, {{"cpus", number("Cores.")}, {"memory", count("Bytes.")}}); }

Value published_port() {
  return object("A port of one instance, as it is bound on the node.",
                {{"target", count("The container's port.")},
                 {"protocol", word<model::Protocol>("")},
                 {"address", text("What clients connect to.")},
                 {"published", count("The node's port.")}},
                {{"name", text("As the spec names it.")}});
}

Value instance() {
  return object("One container of a service, over all its restarts on one node.",
                {{"id", text("Unique for ever.")},
                 {"service", text("")},
                 {"slot", count("1 to `instances`.")},
                 {"revision", count("Of the spec that it runs.")},
                 {"node", text("Empty while none has been found.")},
                 {"state", word<model::InstanceState>("`failed` with `next_start_at` is backing off.")},
                 {"health", word<model::Health>("What its health check says.")},
                 {"ready", flag("It runs, and is healthy if it has a health check.")},
                 {"reason", word<model::Reason>("Why it is where it is.")},
                 {"message", text("The same for people.")},
                 {"restarts", count("In place, on this node.")},
                 {"exit_code", or_null(typed("integer", "How the process ended last."))},
                 {"next_start_at", or_null(time("When it is started again."))},
                 {"container", or_null(object("The container that it has now, or had last.",
                                              {{"id", text()}, {"name", text()}, {"address", text("In its first network.")}}))},
                 {"ports", list_of(ref("PublishedPort"))},
                 {"used", or_null(amount("What it uses, measured each ten seconds; null until then, and while it does not run."))},
                 {"created_at", time("")},
                 {"started_at", or_null(time(""))},
                 {"state_since", time("")}});
}

Value endpoint() {
  return object("A port of a ready instance.",
                {{"instance", text("Its id.")},
                 {"slot", count("1 to `instances`.")},
                 {"node", text("On which it runs.")},
                 {"address", text("What clients connect to.")},
                 {"port", count("The node's port.")},
                 {"target", count("The container's port.")},
                 {"protocol", word<model::Protocol>("")}},
                {{"name", text("Of the port, as the spec names it.")}});
}

Value target_group() {
  return object(
      "Of Prometheus's HTTP service discovery: one port of one ready instance.",
      {{"targets", list_of(text(), "address:port.")},
       {"labels",
        object("`__meta_davit_service`, `_slot`, `_instance`, `_node`, `_target`, `_port_name`, and `_label_…` for the labels.", {})
            .set("additionalProperties", text())}});
}

Value rollout() {
  return object("The last update, restart or rollback, until it is in place.",
                {{"state", word<model::RolloutState>("`stopped`: it has failed, and can be resumed.")},
                 {"from", count("The revision that instances are led away from.")},
                 {"to", count("The revision that they are led to.")},
                 {"rollback", flag("It goes back.")},
                 {"automatic", flag("Davit went back by itself, because the update failed.")},
                 {"order", text("").set("enum", Value::array("start-first", "stop-first"))},
                 {"order_reason", text("Why this order.")},
                 {"reason", word<model::Reason>("Why it, or the update that it leads back from, failed.")},
                 {"message", text("The same for people.")},
                 {"since", time("When it began, was resumed or stopped.")}});
}

Value status() {
  return object("A service's state in a few words and numbers.",
                {{"state", ref("ServiceState")},
                 {"desired", count("Instances that should run.")},
                 {"running", count("Instances that run.")},
                 {"ready", count("Instances that run and are ready.")},
                 {"updated", count("Instances that run at the current revision.")},
                 {"message", text("What is in the way, for people.")}},
                {{"image_digest", text("What the image was resolved to; empty while nobody knows.")}, {"rollout", or_null(rollout())}});
}

Value warnings() {
  return list_of(object("", {{"code", text("As in fixed_port.")}, {"pointer", text("A JSON pointer into the spec.")}, {"message", text()}}),
                 "What is allowed and may surprise; in answers to writes.");
}

Value entry() {
  return object("A service in a list.", {{"name", text()},
                                         {"generation", count("")},
                                         {"revision", count("")},
                                         {"image", text()},
                                         {"mode", word<model::Mode>("")},
                                         {"state", ref("ServiceState")},
                                         {"desired", count("")},
                                         {"running", count("")},
                                         {"ready", count("")},
                                         {"updated", count("")},
                                         {"ports", list_of(typed("object", "A port of the spec, in long form."))},
                                         {"message", text()},
                                         {"created_at", time("")},
                                         {"updated_at", time("")}});
}

Value service() {
  return object("A service with its instances.",
                {{"name", text()},
                 {"uid", text("Tells services apart that had the same name one after the other.")},
                 {"generation", count("Counts every accepted change; the ETag.")},
                 {"revision", count("Counts the changes that replace containers.")},
                 {"spec", ref("Spec")},
                 {"status", ref("ServiceStatus")},
                 {"created_at", time("")},
                 {"updated_at", time("")},
                 {"instances", list_of(ref("Instance"), "At most 1,000; all of them at /services/{name}/instances.")}},
                {{"warnings", warnings()}});
}

Value removed_service() {
  return object("A service of which nothing is left.",
                {{"name", text()}, {"status", object("", {{"state", text("").set("const", "removed")}})}});
}

Value dry_run() {
  return object(
      "What a write would lead to.",
      {{"name", text()},
       {"dry_run", flag("").set("const", true)},
       {"generation", count("")},
       {"revision", count("")},
       {"removing", flag("")},
       {"spec", ref("Spec")},
       {"changes",
        list_of(
            object("One field that would change.",
                   {{"pointer", text()},
                    {"before", Value::object()},
                    {"after", Value::object()},
                    {"change", text("What it means for containers that run.").set("enum", Value::array("none", "in_place", "replace"))}}))},
       {"warnings", warnings()}},
      {{"uid", text()}});
}

Value history_event() {
  return object("One event of a service's journal.",
                {{"number", count("")},
                 {"time", time("")},
                 {"type", text("As in spec_changed.")},
                 {"generation", count("After it.")},
                 {"revision", or_null(count("After it; null where that is no longer known."))},
                 {"author", text("Who asked: api; davit for its own decisions.")},
                 {"request_id", text("The Idempotency-Key that came with it.")},
                 {"message", text("What it changed, for people.")}},
                {{"reason", word<model::Reason>("Why a rollout failed.")}});
}

Value explanation() {
  auto const verdict =
      object("One node under the eyes of the slot.", {{"node", text()},
                                                      {"fits", flag("")},
                                                      {"filter", word<placement::Filter>("The first that rejects it; empty: none.")},
                                                      {"detail", text("What it misses, or what its place in the order comes from.")},
                                                      {"score", or_null(number("Of a node that fits: 1 is the best."))}});
  auto const slot = object("A slot that waits for a node.", {{"slot", count("")},
                                                             {"waiting_since", or_null(time("Null: another master owns the service."))},
                                                             {"nodes", list_of(verdict)},
                                                             {"would_fit", list_of(text(), "Changes each of which would do alone.")}});
  auto const next =
      object("One more instance in search of a node.",
             {{"node", or_null(text("The one that it would go to; null: none fits."))}, {"nodes", list_of(verdict, "The best first.")}});
  return object("Why instances have no node, and where the next one would go.",
                {{"slots", list_of(slot, "Those that wait, by number; of very many the first.")}, {"next", next}});
}

Value rebalance() {
  auto const move =
      object("An instance that is to stand on another node.", {{"service", text()},
                                                               {"slot", count("")},
                                                               {"instance", text("The one that goes; its successor has another id.")},
                                                               {"from", text("A node.")},
                                                               {"to", text("A node.")},
                                                               {"done", flag("It is gone from where it was.")},
                                                               {"error", text("Why its service's owner has not taken it on; or empty.")}});
  return object("What moves so that nodes carry equal parts.", {{"dry_run", flag("")}, {"moves", list_of(move)}});
}

Value member() {
  return object("A node's place in the cluster.",
                {{"name", text()},
                 {"address", text("The link's, with its port where it listens.")},
                 {"roles", list_of(word<model::Role>(""))},
                 {"status", word<model::NodeStatus>("")}},
                {{"id", text()}, {"message", text(kNodeMessage)}});
}

Value used_of_node() {
  auto const pressure = object("Shares of the last ten seconds, 0 to 1, in which tasks waited (PSI); null where the kernel does not tell.",
                               {{"cpu", number("Some of them, for a processor.")},
                                {"memory", number("All that had something to do, for memory.")},
                                {"io", number("All that had something to do, for a disk.")}});
  return object("What is in use, by all processes.", {{"cpus", number("Cores.")}, {"memory", count("Bytes.")}},
                {{"load_1m", number("Tasks that run or wait to run, a mean of a minute.")}, {"pressure", or_null(pressure)}});
}

Value node() {
  auto schema =
      object("A node with what it has and what is used of it.",
             {{"name", text()},
              {"address", text()},
              {"roles", list_of(word<model::Role>(""))},
              {"status", word<model::NodeStatus>("")},
              {"availability", word<model::Availability>("")},
              {"labels", typed("object", "").set("additionalProperties", text())},
              {"capacity", amount("What the engine has.")},
              {"reserved", amount("What instances have reserved.")},
              {"used", used_of_node()},
              {"instances", count("")},
              {"engine", object("", {{"version", text()}, {"api", text()}}, {{"up", flag("It answers.")}, {"message", text("Why not.")}})},
              {"platform", text("As in linux/amd64.")}},
             {{"id", text()}, {"message", text(kNodeMessage)}});
  return schema;
}

Value node_patch() {
  auto availability = word<model::Availability>("pause: takes no new instances; drain: those there are move away too.");
  auto label = Value::object({{"type", Value::array("string", "null")}, {"maxLength", 256}, {"description", "null removes it."}});
  auto labels = typed("object", "").set("additionalProperties", std::move(label));
  labels.set("propertyNames", Value::object({{"pattern", "^[^=]{1,256}$"}}));
  return object("Absent members stay as they are.", {}, {{"availability", std::move(availability)}, {"labels", std::move(labels)}})
      .set("additionalProperties", false);
}

Value problem_schema() {
  Value codes = Value::array();
  for (auto const& kind : all_problem_kinds()) codes.push(kind.code);
  return object(
      "A refusal (RFC 9457).",
      {{"type", text("/problems/<code>")},
       {"code", text("What clients may switch over.").set("enum", std::move(codes))},
       {"title", text()},
       {"status", typed("integer", "")},
       {"detail", text("For people; names the way out.")}},
      {{"errors", list_of(object("", {{"pointer", text("A JSON pointer into the body (#/ports/0), or ?parameter, or a header's name.")},
                                      {"code", text("As in unknown_field.")},
                                      {"detail", text()}}))}});
}

Value log_line() {
  return Value::object({{"description", "One line of ndjson: what an instance printed, or why lines may be missing."},
                        {"anyOf", Value::array(object("", {{"time", time("")},
                                                           {"node", text()},
                                                           {"slot", count("")},
                                                           {"instance", text()},
                                                           {"stream", text("").set("enum", Value::array("stdout", "stderr"))},
                                                           {"line", text()}}),
                                               object("", {{"warning", text()}}))}});
}

Value event() {
  return object("The data of one server-sent event; what does not apply is left out.",
                {{"time", time("")},
                 {"type", text("service.<what>, instance.<state> or node.<status>.")},
                 {"reason", word<model::Reason>("")},
                 {"message", text()}},
                {{"service", text()},
                 {"slot", count("")},
                 {"instance", text()},
                 {"revision", count("")},
                 {"node", text()},
                 {"previous", text("The instance's state before.")}});
}

Value with_name(Value spec, bool is_required) {
  auto& object = *spec.as_object();
  object.find("properties")->set("name", service_name_schema());
  if (is_required) object.find("required")->push("name");
  return spec;
}

}  // namespace

Value service_name_schema() {
  return text("Up to 63 of a-z, 0-9, '-' and '_', with a letter or a digit at both ends; `davit-…` and `node` are reserved.")
      .set("pattern", "^(?!davit-|node$)[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$");
}

Value openapi_schemas() {
  using codec::SchemaFor;
  return Value::object({{"Spec", codec::spec_schema(SchemaFor::Spec)},
                        {"SpecPatch", codec::spec_schema(SchemaFor::Patch)},
                        {"NewService", with_name(codec::spec_schema(SchemaFor::Spec), true)},
                        {"Service", service()},
                        {"ServiceEntry", entry()},
                        {"ServiceStatus", status()},
                        {"ServiceState", word<service::State>("What the service is at.")},
                        {"RemovedService", removed_service()},
                        {"DryRun", dry_run()},
                        {"HistoryEvent", history_event()},
                        {"Explanation", explanation()},
                        {"Instance", instance()},
                        {"PublishedPort", published_port()},
                        {"Endpoint", endpoint()},
                        {"TargetGroup", target_group()},
                        {"Member", member()},
                        {"Node", node()},
                        {"NodePatch", node_patch()},
                        {"Rebalance", rebalance()},
                        {"LogLine", log_line()},
                        {"Event", event()},
                        {"Health", object("", {{"status", text("").set("enum", Value::array("ok", "unavailable"))}},
                                          {{"version", text()}, {"reasons", list_of(text(), "Why it is not well.")}})},
                        {"Version", object("", {{"version", text()}, {"api_version", text()}, {"node", text()}},
                                           {{"engine", object("", {{"version", text()}, {"api", text()}, {"platform", text()}})}})},
                        {"Problem", problem_schema()}});
}

}  // namespace davit::api
