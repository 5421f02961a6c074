#include "sim/engine_containers.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace davit::sim {
namespace {

using model::ContainerState;
using model::Health;
namespace error = model::engine_error;

constexpr std::int64_t kKilled = 128 + 9;

bool has_check(model::ServiceSpec const& spec, Image const& image) {
  if (!spec.healthcheck) return image.has_healthcheck;
  auto const& check = *spec.healthcheck;
  if (check.disable || check.http || check.tcp) return false;  // probes over http and tcp are the agent's
  auto const& test = check.test.items;
  return test.empty() ? image.has_healthcheck : test.front() != "NONE";
}

bool overlap(std::string const& a, std::string const& b) {
  auto const is_any = [](std::string const& address) { return address.empty() || address == "0.0.0.0" || address == "::"; };
  return a == b || is_any(a) || is_any(b);
}

bool clash(model::PublishedPort const& a, model::PublishedPort const& b) {
  return a.published == b.published && a.protocol == b.protocol && overlap(a.address, b.address);
}

}  // namespace

EngineContainers::EngineContainers(ports::Loop& loop, std::function<Wall()> wall, std::function<void(FakeContainer const&)> on_change,
                                   std::function<void()> on_output)
    : loop_(loop),
      wall_(std::move(wall)),
      on_change_(std::move(on_change)),
      on_output_(std::move(on_output)) {}

FakeContainer* EngineContainers::find(std::string const& id_or_name) {
  if (auto const found = all_.find(id_or_name); found != all_.end()) return &found->second;
  auto const named = std::ranges::find_if(all_, [&](auto const& each) { return each.second.detail.name == id_or_name; });
  return named == all_.end() ? nullptr : &named->second;
}

FakeContainer& EngineContainers::add(std::string id, model::CreateContainer const& wanted, Image const& image, Program program) {
  auto const& spec = *wanted.spec;
  auto& container = all_[id];
  auto& detail = container.detail;
  detail = {.id = id, .name = wanted.name, .labels = wanted.labels, .created_at = wall_(), .ports = wanted.ports};
  detail.labels.insert(spec.container_labels.items.begin(), spec.container_labels.items.end());
  for (auto& port : detail.ports) port.name.clear();  // an engine knows numbers only
  container.image = wanted.image;
  container.program = std::move(program);
  container.stop_signal = spec.stop_signal.empty() ? "SIGTERM" : spec.stop_signal;
  container.is_checked = has_check(spec, image);
  container.has_tty = spec.tty;
  container.has_address = spec.network_mode != "none" && spec.network_mode != "host";
  return container;
}

FakeContainer& EngineContainers::add_foreign(std::string id, std::string name, std::map<std::string, std::string> labels,
                                             std::vector<std::uint16_t> const& ports) {
  auto& container = all_[id];
  container.detail = {.id = id, .name = std::move(name), .labels = std::move(labels), .state = ContainerState::Running};
  for (auto const port : ports) container.detail.ports.push_back({.target = 80, .published = port});
  return container;
}

Status EngineContainers::check_ports(FakeContainer const& container) const {
  for (auto const& [id, other] : all_) {
    if (&other == &container || !other.is_alive()) continue;
    for (auto const& port : container.detail.ports) {
      bool const is_taken = std::ranges::any_of(other.detail.ports, [&](auto const& theirs) { return clash(port, theirs); });
      if (is_taken)
        return fail(Code::Unavailable, fmt::format("Bind for {}:{} failed: port is already allocated", port.address, port.published),
                    std::string(error::kPortInUse));
    }
  }
  return {};
}

Status EngineContainers::start(FakeContainer& container) {
  auto& detail = container.detail;
  if (detail.state == ContainerState::Running) return {};
  if (detail.state == ContainerState::Paused) return fail(Code::Internal, "cannot start a paused container, try unpause instead");
  auto status = container.program.start_error ? Status(std::unexpected(*container.program.start_error)) : check_ports(container);
  if (!status) {
    detail.error = status.error().message;
    return status;
  }
  detail.state = ContainerState::Running;
  detail.error.clear();
  detail.exit_code = 0;
  detail.oom_killed = false;
  detail.started_at = wall_();
  container.started = loop_.now().monotonic;
  if (container.has_address) detail.address = "172.17.0.2";
  ++container.starts;
  container.log->is_growing = true;
  run(container);
  on_change_(container);
  return {};
}

void EngineContainers::run(FakeContainer& container) {
  auto const& program = container.program;
  print(container, program.prints);
  if (program.prints_every) print_again(container, *container.timers.emplace_back(loop_.make_timer()), *program.prints_every);
  if (container.is_checked) {
    container.detail.health = Health::Starting;
    later(container, program.check.after, [this](FakeContainer& same) {
      same.detail.health = same.program.check.verdict;
      same.detail.health_output = same.program.check.output;
      on_change_(same);
    });
  }
  if (program.runs_for) later(container, *program.runs_for, [this](FakeContainer& same) { end(same, same.program.exit); });
}

// A pause does not stop this clock.
void EngineContainers::later(FakeContainer& container, Duration wait, std::function<void(FakeContainer&)> then) {
  auto& timer = container.timers.emplace_back(loop_.make_timer());
  timer->set(loop_.now().monotonic + wait, [&container, then = std::move(then)] { then(container); });
}

void EngineContainers::print(FakeContainer& container, std::vector<Program::Output> const& outputs) {
  if (outputs.empty()) return;
  for (auto const& [text, stream] : outputs)
    container.log->lines.push_back({wall_(), container.has_tty ? ports::LogStream::Stdout : stream, text});
  on_output_();
}

void EngineContainers::print_again(FakeContainer& container, ports::Timer& timer, Duration every) {
  timer.set(loop_.now().monotonic + every, [this, &container, &timer, every] {
    print(container, container.program.prints);
    print_again(container, timer, every);
  });
}

void EngineContainers::signal(FakeContainer& container, std::string const& name) {
  auto const reaction = container.program.on_signal.find(name);
  if (reaction == container.program.on_signal.end() || container.detail.state == ContainerState::Paused) return;
  print(container, reaction->second.last_words);
  end(container, reaction->second.exit);
}

void EngineContainers::stop(FakeContainer& container, Duration grace, std::function<void()> then) {
  if (!container.is_alive()) return then();
  container.waiting_for_end.push_back(std::move(then));
  auto& timer = container.graces.emplace_back(loop_.make_timer());
  timer->set(loop_.now().monotonic + grace, [this, &container] { end(container, {.code = kKilled}); });
  signal(container, container.stop_signal);
}

void EngineContainers::end(FakeContainer& container, Exit exit) {
  if (!container.is_alive()) return;
  auto& detail = container.detail;
  detail.state = ContainerState::Exited;
  detail.exit_code = exit.code;
  detail.oom_killed = exit.oom_killed;
  detail.health = Health::None;
  detail.finished_at = wall_();
  detail.address.clear();
  container.log->is_growing = false;
  container.timers.clear();
  container.graces.clear();
  on_output_();
  on_change_(container);
  for (auto const& then : std::exchange(container.waiting_for_end, {})) then();
}

void EngineContainers::pause(FakeContainer& container, bool paused) {
  if (!container.is_alive()) return;
  container.detail.state = paused ? ContainerState::Paused : ContainerState::Running;
  on_change_(container);
}

void EngineContainers::remove(FakeContainer& container) {
  end(container, {.code = kKilled});
  auto const gone = all_.extract(container.detail.id);
  on_change_(gone.mapped());
}

void EngineContainers::forget_stops() {
  for (auto& [id, container] : all_) {
    container.waiting_for_end.clear();
    container.graces.clear();
  }
}

void EngineContainers::end_all(Exit exit) {
  forget_stops();
  for (auto& [id, container] : all_) end(container, exit);
}

}  // namespace davit::sim
