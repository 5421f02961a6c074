#include "cli/progress.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/core.h>

#include "base/host_port.hpp"
#include "cli/problem_text.hpp"

namespace davit::cli {
namespace {

using codec::Value;

constexpr std::int64_t kMostSlots = 1000;  // as many instances as an answer holds
constexpr Duration kLongestSettling = 1s;

std::int64_t number(Value const& value) { return value.as_int().value_or(0); }

bool is_http(Value const& port) {
  static constexpr std::array<std::int64_t, 6> kUsual{80, 443, 3000, 5000, 8000, 8080};
  auto const name = port.at("name").text();
  if (name.starts_with("http")) return true;
  return name.empty() && std::ranges::find(kUsual, number(port.at("target"))) != kUsual.end();
}

std::string url_at(std::string_view address, Value const& port) {
  auto const scheme = port.at("protocol").text() == "udp" || !is_http(port) ? ""
                      : number(port.at("target")) == 443                    ? "https://"
                                                                            : "http://";
  return escape_text(scheme + host_port(address, number(port.at("published"))));
}

std::string_view protocol_of(Value const& port) {
  auto const protocol = port.at("protocol").text();
  return protocol.empty() ? "tcp" : protocol;
}

// At which an instance has published the same port; "" where none has.
std::string_view address_of(Value const& service, Value const& port) {
  for (auto const& instance : service.at("instances").items()) {
    for (auto const& own : instance.at("ports").items()) {
      if (own.at("target") == port.at("target") && protocol_of(own) == protocol_of(port)) return own.at("address").text();
    }
  }
  return {};
}

// Of several instances of a slot the one that counts: of the current revision, else the newest.
std::map<std::int64_t, Value const*> instance_by_slot(Value const& service) {
  auto const current = number(service.at("revision"));
  auto const rank = [&](Value const& each) {
    auto const revision = number(each.at("revision"));
    return std::pair(revision == current ? current + 1'000'000 : revision, each.at("created_at").text());
  };
  std::map<std::int64_t, Value const*> slots;
  for (auto const& instance : service.at("instances").items()) {
    auto*& chosen = slots[number(instance.at("slot"))];
    if (!chosen || rank(*chosen) < rank(instance)) chosen = &instance;
  }
  auto const wanted = std::min(number(service.at("status").at("desired")), kMostSlots);
  if (service.at("spec").at("mode").text().empty() || service.at("spec").at("mode").text() == "replicated") {
    for (std::int64_t slot = 1; slot <= wanted; ++slot) slots.try_emplace(slot, nullptr);
  }
  return slots;
}

// Its reason, where it has one, is then that of the attempt before.
bool is_starting(Value const& instance) {
  auto const state = instance.at("state").text();
  return state == "preparing" || state == "starting";
}

// How long until it is started again, where it is backing off.
std::optional<Duration> wait_of(Value const& instance, Wall now) {
  auto const state = instance.at("state").text();
  auto const next_start = parse_rfc3339(instance.at("next_start_at").text());
  if ((state != "failed" && state != "exited") || !next_start) return std::nullopt;
  return std::max(Duration::zero(), Duration(std::chrono::ceil<std::chrono::seconds>(*next_start - now)));
}

SlotLine line_of(Goal const& goal, std::int64_t slot, Value const* instance, std::int64_t current, Wall now) {
  SlotLine line{.label = fmt::format("{}.{}", goal.service, slot), .node = "-", .state = "pending"};
  if (!instance) return line;
  auto const node = instance->at("node").text();
  auto message = instance->at("message").text();
  if (message.starts_with("pulling ")) message.remove_prefix(std::string_view("pulling ").size());  // the state says so
  line.node = node.empty() ? "-" : escape_text(node);
  auto const wait = wait_of(*instance, now);
  line.state = wait ? "backing off" : state_text(*instance, now);
  line.is_ready = instance->at("ready").as_bool().value_or(false);
  if (number(instance->at("revision")) != current) {
    line.detail = fmt::format("revision {}", number(instance->at("revision")));
    line.is_ready = false;
    return line;
  }
  if (line.is_ready) {
    line.detail = url_of(*instance);
    return line;
  }
  auto const reason = instance->at("reason").text();
  if (!reason.empty() && is_starting(*instance)) line.detail = fmt::format("again: {}", escape_text(message.empty() ? reason : message));
  else if (instance->at("state").text() != "stopping" && message != line.state)
    line.detail = escape_text(message.empty() ? reason : message);
  if (wait) line.clock = format_age(*wait);
  else if (line.detail.empty())
    line.clock = fmt::format("{:.1f} s", std::chrono::duration<double>(age_of(instance->at("state_since").text(), now)).count());
  return line;
}

// An update, or its way back, is under way: the server decides what a failed instance means.
bool is_rolling(Value const& service) {
  auto const state = service.at("status").at("state").text();
  return state == "updating" || state == "rolling_back";
}

std::optional<SlotLine> progress_line(Goal const& goal, Value const& service) {
  auto const& status = service.at("status");
  auto const updated = status.at("updated").as_int();
  if (!is_rolling(service) || !updated) return std::nullopt;
  auto const* const what = status.at("state").text() == "updating" ? "updated" : "rolled back";
  return SlotLine{.label = goal.service, .node = "-", .state = fmt::format("{}/{} {}", *updated, number(status.at("desired")), what)};
}

// Why to wait is of no use, where an instance that is wanted says so.
std::optional<std::string> dead_end(Goal const& goal, Value const& service) {
  if (is_rolling(service)) return std::nullopt;
  auto const desired = number(service.at("status").at("desired"));
  for (auto const& instance : service.at("instances").items()) {
    auto const slot = number(instance.at("slot"));
    if (slot > desired || !(instance.at("revision") == service.at("revision"))) continue;
    auto const reason = instance.at("reason").text();
    auto const message = instance.at("message").text();
    if (reason == "image_not_found")
      return message.empty() ? fmt::format("image not found: {}", service.at("spec").at("image").text()) : std::string(message);
    if (reason == "crash_loop")
      return fmt::format("{0}.{1}: {2}; davit service logs {0}", goal.service, slot, message.empty() ? reason : message);
  }
  return std::nullopt;
}

// Where the service does not watch its own updates, neither is it watched here.
Duration settle_time_of(Value const& service) {
  if (number(service.at("status").at("desired")) == 0) return Duration::zero();
  auto const monitor = parse_duration(service.at("spec").at("update_config").at("monitor").text());
  return monitor ? std::min(*monitor, kLongestSettling) : kLongestSettling;
}

void judge(Goal const& goal, Value const& service, Look& look) {
  auto const& status = service.at("status");
  auto const state = status.at("state").text();
  auto const desired = number(status.at("desired"));
  auto const revision = number(service.at("revision"));
  auto const fail = [&](std::string why) {
    if (!look.message.empty()) why += ": " + look.message;
    look.message = std::move(why);
    look.verdict = Verdict::Failed;
  };
  if (look.generation < goal.generation) return;  // a master with an old view
  bool const is_on_its_way = state == "rolling_back";
  if (is_on_its_way && !goal.is_rollback) return;  // how that ends is part of the answer
  if (revision < goal.revision && state == "paused") return fail("paused");
  if (revision < goal.revision) return fail(fmt::format("rolled back to revision {}", revision));
  if (revision > goal.revision) return fail(fmt::format("overtaken by another update, to revision {}", revision));
  if (state == "removing") return fail("is being removed");
  if (state == "paused") return fail("paused");
  if (status.at("rollout").at("state").text() == "incomplete" && state == "degraded") return fail("not all is updated");
  if (auto const why = dead_end(goal, service)) {
    look.message = escape_text(*why);
    look.verdict = Verdict::Failed;
    return;
  }
  if (state == "running" && number(status.at("ready")) >= desired && number(status.at("running")) <= desired)
    look.verdict = Verdict::Converged;
}

}  // namespace

Goal goal_of(Value const& answer, bool is_rollback) {
  return {.service = std::string(answer.at("name").text()),
          .generation = number(answer.at("generation")),
          .revision = number(answer.at("revision")),
          .is_rollback = is_rollback};
}

Duration age_of(std::string_view time, Wall now) {
  auto const since = parse_rfc3339(time);
  return since && *since < now ? Duration(now - *since) : Duration::zero();
}

std::string url_of(Value const& instance) {
  auto const ports = instance.at("ports").items();
  return ports.empty() ? std::string() : url_at(ports.front().at("address").text(), ports.front());
}

std::vector<std::string> ingress_urls_of(Value const& service) {
  std::vector<std::string> urls;
  for (auto const& port : service.at("spec").at("ports").items()) {
    if (port.at("mode").text() != "ingress") continue;
    if (auto const address = address_of(service, port); !address.empty()) urls.push_back(url_at(address, port));
  }
  return urls;
}

std::string state_text(Value const& instance, Wall now) {
  if (auto const wait = wait_of(instance, now)) return "backing off " + format_age(*wait);
  auto const state = instance.at("state").text();
  if (state == "preparing" && instance.at("message").text().starts_with("pulling")) return "pulling";
  auto const health = instance.at("health").text();
  bool const has_health = state == "running" && !health.empty() && health != "none";
  return escape_text(has_health ? fmt::format("{} {}", state, health) : std::string(state));
}

Look look_at(Goal const& goal, Value const& service, Wall now) {
  auto const& status = service.at("status");
  Look look;
  look.generation = number(service.at("generation"));
  look.count = fmt::format("{}/{} ready", number(status.at("ready")), number(status.at("desired")));
  look.message = escape_text(status.at("message").text());
  if (auto line = progress_line(goal, service)) look.slots.push_back(*std::move(line));
  for (auto const& [slot, instance] : instance_by_slot(service)) {
    look.slots.push_back(line_of(goal, slot, instance, number(service.at("revision")), now));
  }
  for (auto const& instance : service.at("instances").items()) {
    if (instance.at("ready").as_bool().value_or(false)) look.ready_containers.emplace_back(instance.at("container").at("id").text());
  }
  look.settle_time = settle_time_of(service);
  judge(goal, service, look);
  return look;
}

Verdict Settling::judge(Look const& look, Monotonic now) {
  if (look.verdict != Verdict::Converged) {
    since_ = kNever;
    return look.verdict;
  }
  if (!is_under_way() || containers_ != look.ready_containers) {
    since_ = now;
    containers_ = look.ready_containers;
  }
  settle_time_ = look.settle_time;
  return now >= ends_at() ? Verdict::Converged : Verdict::Going;
}

}  // namespace davit::cli
