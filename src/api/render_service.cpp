#include "api/render_service.hpp"

#include <algorithm>

#include "codec/json.hpp"
#include "core/service/terms.hpp"

namespace davit::api {
namespace {

using codec::Value;

Value time_or_null(std::optional<Wall> const& time) { return time ? Value(format_rfc3339(*time)) : Value(); }

Value render_ports(std::vector<model::PublishedPort> const& ports) {
  Value::Array items;
  for (auto const& port : ports) {
    auto item = Value::object(
        {{"target", port.target}, {"protocol", model::to_string(port.protocol)}, {"address", port.address}, {"published", port.published}});
    if (!port.name.empty()) item.set("name", port.name);
    items.push_back(std::move(item));
  }
  return items;
}

Value render_container(model::ContainerRef const& container) {
  if (container.id.empty()) return {};
  return Value::object({{"id", container.id}, {"name", container.name}, {"address", container.address}});
}

Value render_use(std::optional<model::InstanceUse> const& use) {
  if (!use) return {};
  return Value::object({{"cpus", use->millicores / 1000.0}, {"memory", std::int64_t{use->memory_kib} * 1024}});
}

Value render_rollout(model::Head const& head) {
  auto const& rollout = head.rollout;
  if (rollout.state == model::RolloutState::None) return {};
  auto const terms = service::terms_of(head);
  return Value::object({{"state", model::to_string(rollout.state)},
                        {"from", rollout.from},
                        {"to", rollout.to},
                        {"rollback", rollout.is_rollback},
                        {"automatic", rollout.is_automatic},
                        {"order", terms.is_start_first ? "start-first" : "stop-first"},
                        {"order_reason", terms.order_reason},
                        {"reason", model::to_string(rollout.reason)},
                        {"message", rollout.message},
                        {"since", format_rfc3339(rollout.since)}});
}

Value render_status(master::Service const& service) {
  auto const& status = service.status;
  return Value::object({{"state", model::to_string(status.state)},
                        {"desired", status.desired},
                        {"running", status.running},
                        {"ready", status.ready},
                        {"updated", status.updated},
                        {"image_digest", service.head.digest()},
                        {"rollout", render_rollout(service.head)},
                        {"message", status.message}});
}

std::string_view to_string(model::Change change) {
  switch (change) {
    case model::Change::None: return "none";
    case model::Change::InPlace: return "in_place";
    case model::Change::Replace: return "replace";
  }
  return "";
}

Value parsed(std::string const& json) {
  if (json.empty()) return {};
  auto value = codec::parse_json(json);
  return value ? *std::move(value) : Value(json);
}

Value render_changes(model::ServiceSpec const& before, model::ServiceSpec const& after) {
  Value::Array items;
  for (auto const& each : codec::diff(before, after)) {
    auto const pointer = each.pointer.starts_with('#') ? each.pointer : '#' + each.pointer;
    items.push_back(Value::object(
        {{"pointer", pointer}, {"before", parsed(each.before)}, {"after", parsed(each.after)}, {"change", to_string(each.change)}}));
  }
  return items;
}

}  // namespace

Value render_entry(master::Service const& service) {
  auto const& head = service.head;
  auto const& spec = *head.spec();
  auto const& status = service.status;
  return Value::object({{"name", head.name},
                        {"generation", head.generation},
                        {"revision", head.revision},
                        {"image", spec.image},
                        {"mode", model::to_string(spec.mode)},
                        {"state", model::to_string(status.state)},
                        {"desired", status.desired},
                        {"running", status.running},
                        {"ready", status.ready},
                        {"updated", status.updated},
                        {"ports", codec::write_value(spec.ports, codec::Defaults::Omit)},
                        {"message", status.message},
                        {"created_at", format_rfc3339(head.created_at)},
                        {"updated_at", format_rfc3339(head.updated_at)}});
}

Value render_service(master::Master const& master, master::Service const& service, codec::Defaults defaults) {
  auto const& head = service.head;
  Value::Array instances;
  auto const count = std::min(service.instances.size(), kInlineInstances);
  instances.reserve(count);
  for (auto const& instance : service.instances) {
    if (instances.size() == count) break;
    instances.push_back(render_instance(master, service, instance));
  }
  return Value::object({{"name", head.name},
                        {"uid", davit::to_string(head.uid)},
                        {"generation", head.generation},
                        {"revision", head.revision},
                        {"spec", codec::write_spec(*head.spec(), defaults)},
                        {"status", render_status(service)},
                        {"created_at", format_rfc3339(head.created_at)},
                        {"updated_at", format_rfc3339(head.updated_at)},
                        {"instances", std::move(instances)}});
}

Value render_instance(master::Master const& master, master::Service const& service, service::Instance const& instance) {
  auto const& detail = *instance.detail;
  auto const* node = master.node(instance.node);
  // What was seen last stands; whether it still answers nobody knows.
  bool const is_cut_off = node && node->path.kind == master::Path::Kind::None;
  auto const reason = is_cut_off ? model::Reason::NodeUnreachable : instance.reason;
  return Value::object({{"id", davit::to_string(instance.id)},
                        {"service", service.head.name},
                        {"slot", instance.slot},
                        {"revision", instance.revision},
                        {"node", node ? node->record.name : ""},
                        {"state", model::to_string(instance.state)},
                        {"health", model::to_string(instance.health)},
                        {"ready", instance.is_ready() && !is_cut_off},
                        {"reason", model::to_string(reason)},
                        {"message", detail.rare->message},
                        {"restarts", instance.restarts},
                        {"exit_code", detail.rare->exit_code},
                        {"next_start_at", time_or_null(detail.rare->next_start_at)},
                        {"container", render_container(detail.container.unpacked())},
                        {"ports", render_ports(detail.ports)},
                        {"used", render_use(detail.use)},
                        {"created_at", format_rfc3339(detail.created_at)},
                        {"started_at", time_or_null(detail.started_at)},
                        {"state_since", format_rfc3339(detail.state_since)}});
}

Value render_warnings(std::vector<model::Problem> const& warnings) {
  Value::Array items;
  for (auto const& each : warnings) {
    items.push_back(Value::object({{"code", each.code}, {"pointer", each.pointer}, {"message", each.detail}}));
  }
  return items;
}

Value render_dry_run(model::Head const* before, model::Head const& after, codec::Defaults defaults) {
  static model::ServiceSpec const nothing;
  auto item = Value::object({{"name", after.name}, {"dry_run", true}});
  if (before) item.set("uid", davit::to_string(before->uid));
  item.set("generation", after.generation);
  item.set("revision", after.revision);
  item.set("removing", after.removing);
  item.set("spec", codec::write_spec(*after.spec(), defaults));
  item.set("changes", render_changes(before ? *before->spec() : nothing, *after.spec()));
  return item;
}

Value render_removed(std::string_view name) {
  return Value::object(
      {{"name", name},
       {"status", Value::object({{"state", "removed"}, {"desired", 0}, {"running", 0}, {"ready", 0}, {"updated", 0}, {"message", ""}})}});
}

}  // namespace davit::api
