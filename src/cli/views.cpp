#include "cli/views.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/host_port.hpp"
#include "base/units.hpp"
#include "cli/problem_text.hpp"
#include "cli/progress.hpp"

namespace davit::cli {
namespace {

using codec::Value;

constexpr double kGigabyte = 1024.0 * 1024 * 1024;
constexpr std::size_t kShortId = 8;

std::int64_t number(Value const& value) { return value.as_int().value_or(0); }
std::string count(Value const& value) { return value.as_int() ? std::to_string(*value.as_int()) : "-"; }
std::string text(Value const& value) { return std::string(value.text()); }
std::string text_or_dash(Value const& value) { return value.text().empty() ? "-" : text(value); }

template <class F>
std::string join(std::span<Value const> items, std::string_view separator, F&& to_text) {
  std::string all;
  for (auto const& item : items) all += (all.empty() ? std::string() : std::string(separator)) + to_text(item);
  return all;
}

std::string endpoint_text(Value const& port) {
  auto const address = host_port(port.at("address").text(), number(port.at("published")));
  auto const protocol = port.at("protocol").text();
  return fmt::format("{}→{}{}", address, number(port.at("target")), protocol == "udp" ? "/udp" : "");
}

std::string share(Value const& used, Value const& capacity) {
  auto const total = capacity.as_number().value_or(0);
  if (!used.as_number() || total <= 0) return "-";
  return fmt::format("{:.0f}%", 100 * *used.as_number() / total);
}

// "5/16 GB"; of little memory with a fraction.
std::string memory(Value const& used, Value const& capacity) {
  if (!used.as_number() || !capacity.as_number()) return "-";
  auto const have = *used.as_number() / kGigabyte;
  auto const total = *capacity.as_number() / kGigabyte;
  auto const digits = [](double gigabytes) { return gigabytes < 10 && std::fabs(gigabytes - std::round(gigabytes)) >= 0.05 ? 1 : 0; };
  return fmt::format("{:.{}f}/{:.{}f} GB", have, digits(have), total, digits(total));
}

}  // namespace

std::string port_text(Value const& port) {
  auto const protocol = port.at("protocol").text();
  auto const target = fmt::format("{}/{}", number(port.at("target")), protocol.empty() ? "tcp" : protocol);
  auto const first = port.at("published").as_int();
  auto const last = port.at("published_end").as_int();
  if (!first) return target;
  if (port.at("mode").text() == "ingress") return fmt::format("*:{}→{}", *first, target);
  return last ? fmt::format("{}-{}→{}", *first, *last, target) : fmt::format("{}→{}", *first, target);
}

std::string trouble_text(Value const& instance) {
  auto const state = instance.at("state").text();
  auto const reason = instance.at("reason").text();
  auto const exit_code = instance.at("exit_code").as_int();
  if (instance.at("ready").as_bool().value_or(false)) return {};
  if ((state == "failed" || state == "exited") && exit_code) {
    auto const what = reason == "oom_killed" ? std::string("out of memory") : fmt::format("exit {}", *exit_code);
    return fmt::format("{}; davit service logs {}.{}", what, instance.at("service").text(), number(instance.at("slot")));
  }
  return text(instance.at("message").text().empty() ? instance.at("reason") : instance.at("message"));
}

Table services_table(std::span<Value const> services) {
  Table table({"NAME", "IMAGE", "READY", "STATE", "PORTS", "MESSAGE"});
  for (auto const& service : services) {
    table.add({text(service.at("name")), text(service.at("image")),
               fmt::format("{}/{}", number(service.at("ready")), number(service.at("desired"))), text(service.at("state")),
               join(service.at("ports").items(), ", ", port_text), text(service.at("message"))});
  }
  return table;
}

Table instances_table(std::span<Value const> instances, Wall now, bool with_full_ids) {
  Table table({"NAME", "ID", "REV", "NODE", "STATE", "SINCE", "RESTARTS", "ENDPOINT", "MESSAGE"});
  for (auto const& instance : instances) {
    auto const endpoints = join(instance.at("ports").items(), ", ", endpoint_text);
    auto const since = instance.at("state_since");
    table.add({fmt::format("{}.{}", instance.at("service").text(), number(instance.at("slot"))),
               with_full_ids ? text(instance.at("id")) : text(instance.at("id")).substr(0, kShortId), count(instance.at("revision")),
               text_or_dash(instance.at("node")), state_text(instance, now),
               since.text().empty() ? "-" : format_age(age_of(since.text(), now)), count(instance.at("restarts")),
               endpoints.empty() ? "-" : endpoints, trouble_text(instance)});
  }
  return table;
}

Table use_table(std::span<Value const> instances) {
  Table table({"NAME", "NODE", "STATE", "CPU", "MEMORY"});
  for (auto const& instance : instances) {
    auto const& used = instance.at("used");
    auto const cpus = used.at("cpus").as_number();
    auto const bytes = used.at("memory").as_int();
    table.add({fmt::format("{}.{}", instance.at("service").text(), number(instance.at("slot"))), text_or_dash(instance.at("node")),
               text(instance.at("state")), cpus ? fmt::format("{:.1f}%", *cpus * 100) : "-", bytes ? format_bytes({*bytes}) : "-"});
  }
  return table;
}

Table nodes_table(std::span<Value const> nodes) {
  Table table({"NAME", "ROLES", "STATUS", "AVAILABILITY", "INSTANCES", "CPU", "MEMORY", "ENGINE", "ADDRESS"});
  for (auto const& node : nodes) {
    auto const& used = node.at("used");
    auto const& capacity = node.at("capacity");
    auto const address = node.at("address").text();
    table.add({text(node.at("name")), join(node.at("roles").items(), ",", [](Value const& role) { return text(role); }),
               text(node.at("status")), text(node.at("availability")), count(node.at("instances")),
               share(used.at("cpus"), capacity.at("cpus")), memory(used.at("memory"), capacity.at("memory")),
               text_or_dash(node.at("engine").at("version")), std::string(address.substr(0, address.rfind(':')))});
  }
  return table;
}

namespace {

bool fits(Value const& verdict) { return verdict.at("fits").as_bool().value_or(false); }

// A line for each node.
std::string verdicts_text(std::span<Value const> verdicts) {
  std::vector<std::vector<std::string>> rows;
  for (auto const& each : verdicts) {
    auto const score = fits(each) ? fmt::format("score {:.2f}: ", each.at("score").as_number().value_or(0)) : "";
    rows.push_back({escape_text(each.at("node").text()), fits(each) ? "fits" : escape_text(each.at("filter").text()),
                    score + escape_text(each.at("detail").text())});
  }
  std::string all;
  for (auto const& line : align(rows)) all += fmt::format("  {}\n", line);
  return all;
}

// Where nothing waits: where one more would go.
std::string next_text(std::string_view service, Value const& next) {
  if (next.is_null()) return fmt::format("{}: no instance waits for a node\n", escape_text(service));
  auto const node = next.at("node").text();
  auto const where = node.empty() ? std::string("another one would find none") : fmt::format("the next one would go to {}", node);
  return fmt::format("{}: no instance waits for a node; {}\n{}", escape_text(service), escape_text(where),
                     verdicts_text(next.at("nodes").items()));
}

}  // namespace

std::string explanation_text(std::string_view service, Value const& explanation, Wall now) {
  std::string all;
  for (auto const& slot : explanation.at("slots").items()) {
    auto const& nodes = slot.at("nodes").items();
    auto const fitting = std::ranges::count_if(nodes, fits);
    auto const since = slot.at("waiting_since");
    auto const wait = since.is_null() ? std::string() : " " + format_age(age_of(since.text(), now));
    all += fmt::format("{}.{} waits{}: {} of {} node{} fit\n", escape_text(service), number(slot.at("slot")), wait, fitting, nodes.size(),
                       nodes.size() == 1 ? "" : "s");
    all += verdicts_text(nodes);
    auto const hints = join(slot.at("would_fit").items(), "; or ", [](Value const& hint) { return escape_text(hint.text()); });
    if (!hints.empty()) all += fmt::format("Would fit: {}\n", hints);
  }
  return all.empty() ? next_text(service, explanation.at("next")) : all;
}

Table history_table(std::span<Value const> events) {
  Table table({"REVISION", "GENERATION", "TIME", "WHAT", "BY", "MESSAGE"});
  for (auto const& event : events) {
    table.add({count(event.at("revision")), count(event.at("generation")), text(event.at("time")), text(event.at("type")),
               text_or_dash(event.at("author")), text(event.at("message"))});
  }
  return table;
}

std::string event_line(Value const& event) {
  auto const type = event.at("type").text();
  auto const slot = event.at("slot").as_int();
  auto line = fmt::format("{}  {:<19}", event.at("time").text(), type);
  if (!event.at("service").text().empty()) {
    line += fmt::format("  {}{}", event.at("service").text(), slot ? fmt::format(".{}", *slot) : "");
  }
  if (!event.at("node").text().empty()) line += fmt::format("  {}", event.at("node").text());
  if (auto const previous = event.at("previous").text(); !previous.empty()) line += fmt::format("  was {}", previous);
  auto const why = event.at("message").text().empty() ? event.at("reason").text() : event.at("message").text();
  if (!why.empty()) line += fmt::format("  {}", why);
  return escape_text(line);
}

}  // namespace davit::cli
