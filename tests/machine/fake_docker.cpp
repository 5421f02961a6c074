#include "machine/fake_docker.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

using model::ContainerState;
namespace error = model::engine_error;

std::unexpected<Error> refuse(std::string_view field, std::string message, Code code = Code::Invalid) {
  return fail(code, std::move(message), std::string(field));
}
bool holds_ports(FakeDocker::Container const& container) {
  return container.detail.state == ContainerState::Running || container.detail.state == ContainerState::Paused;
}

}  // namespace

std::vector<std::string> FakeDocker::running() const {
  std::vector<std::string> names;
  for (auto const& [id, container] : containers_) {
    if (container.detail.state == ContainerState::Running) names.push_back(container.detail.name);
  }
  std::ranges::sort(names);
  return names;
}

FakeDocker::Container const* FakeDocker::find(std::string const& id_or_name) const {
  return const_cast<FakeDocker*>(this)->get(id_or_name);
}

FakeDocker::Container* FakeDocker::get(std::string const& id_or_name) {
  for (auto& [id, container] : containers_) {
    if (id == id_or_name || container.detail.name == id_or_name) return &container;
  }
  return nullptr;
}

void FakeDocker::after(Duration wait, std::function<void()> then) {
  auto const id = next_++;
  auto& timer = timers_[id] = loop_.make_timer();
  timer->set(loop_.now().monotonic + wait, [this, id, then = std::move(then)] {
    auto const spent = timers_.extract(id);
    then();
  });
}

Duration FakeDocker::latency() { return std::chrono::milliseconds(1 + random_() % 40); }

void FakeDocker::hint(model::EngineHint hint) {
  bool const is_event = std::holds_alternative<model::ContainerTouched>(hint) || std::holds_alternative<model::ContainerAppeared>(hint);
  if (events_lost_ && is_event) return;
  for (auto const& [alive, on_hint] : watchers_) {
    if (!alive.expired()) on_hint(hint);
  }
}

void FakeDocker::end(Container& container, std::int64_t exit_code) {
  container.detail.state = ContainerState::Exited;
  container.detail.exit_code = exit_code;
  container.detail.health = model::Health::None;
  container.detail.finished_at = loop_.now().wall;
  if (!away_ && random_() % 8 != 0) hint(model::ContainerTouched{container.detail.id});  // events are lossy
}

void FakeDocker::kill(std::string const& name, std::int64_t exit_code) {
  if (auto* container = get(name); container && holds_ports(*container)) end(*container, exit_code);
}
void FakeDocker::remove(std::string const& name) {
  if (auto* container = get(name)) {
    auto const id = container->detail.id;
    containers_.erase(id);
    hint(model::ContainerTouched{id});
  }
}
void FakeDocker::pause(std::string const& name, bool paused) {
  auto* container = get(name);
  if (!container || !holds_ports(*container)) return;
  container->detail.state = paused ? ContainerState::Paused : ContainerState::Running;
  hint(model::ContainerTouched{container->detail.id});
}
void FakeDocker::touch(std::string const& name) {
  if (auto const* container = get(name)) hint(model::ContainerTouched{container->detail.id});
}
void FakeDocker::forget_port_names() {
  for (auto& [id, container] : containers_) {
    for (auto& port : container.detail.ports) port.name.clear();
  }
}
void FakeDocker::add_foreign(std::string const& name, std::map<std::string, std::string> labels, std::vector<std::uint16_t> ports) {
  auto const id = fmt::format("foreign{}", next_++);
  auto& container = containers_[id];
  container.detail = {.id = id, .name = name, .labels = std::move(labels), .state = ContainerState::Running};
  for (auto const port : ports) container.detail.ports.push_back({.target = 80, .published = port});
}
void FakeDocker::go_away() {
  away_ = true;
  hint(model::EngineDown{"connection refused"});
}
void FakeDocker::come_back() {
  away_ = false;
  hint(model::EngineUp{});
}

FakeDocker::Reply FakeDocker::perform(model::EngineCall const& call) {
  if (away_) return refuse(error::kEngineAway, "the engine is away", Code::Unavailable);
  return std::visit([this](auto const& each) { return on(each); }, call);
}

FakeDocker::Reply FakeDocker::on(model::InspectImage const& call) {
  bool const must_be_pulled = call.reference.starts_with("slow") || call.reference.starts_with("none");
  if (must_be_pulled && !pulled_.contains(call.reference)) return refuse(error::kNoSuchImage, "No such image", Code::NotFound);
  model::ImageDetail image{.id = "sha256:1"};
  image.has_healthcheck = call.reference.starts_with("sick") || call.reference.starts_with("well");
  if (call.reference.starts_with("known")) image.repo_digests = {"known@sha256:abc"};
  return image;
}
FakeDocker::Reply FakeDocker::on(model::PullImage const& call) {
  if (call.reference.starts_with("none")) return refuse(error::kNoSuchImage, "manifest unknown", Code::NotFound);
  pulled_.insert(call.reference);
  return model::Pulled{};
}
FakeDocker::Reply FakeDocker::on(model::CreateContainer const& call) {
  if (get(call.name)) return refuse(error::kNameInUse, "name in use", Code::Exists);
  auto const id = fmt::format("c{}", next_++);
  auto& container = containers_[id];
  container.detail = {.id = id, .name = call.name, .labels = call.labels, .created_at = loop_.now().wall, .ports = call.ports};
  container.image = call.image;
  auto const cluster = call.labels.find("davit.cluster");
  hint(model::ContainerAppeared{id, cluster == call.labels.end() ? "" : cluster->second});
  return model::Created{.id = id};
}
FakeDocker::Reply FakeDocker::on(model::StartContainer const& call) {
  auto* container = get(call.id);
  if (!container) return refuse(error::kNoSuchContainer, "no such container", Code::NotFound);
  if (container->detail.state == ContainerState::Running) return model::Acknowledged{};
  if (container->image.starts_with("broken")) return refuse(error::kBadConfig, "exec: not found");
  for (auto const& [id, other] : containers_) {
    for (auto const& port : other.detail.ports) {
      bool const clashes = std::ranges::any_of(container->detail.ports, [&](auto const& own) { return own.published == port.published; });
      if (&other != container && holds_ports(other) && clashes) return refuse(error::kPortInUse, "port is already allocated");
    }
  }
  auto& detail = container->detail;
  detail.state = ContainerState::Running;
  detail.started_at = loop_.now().wall;
  ++container->starts;
  hint(model::ContainerTouched{detail.id});
  auto const later = [this, id = detail.id, start = container->starts](auto then) {
    return [this, id, start, then] {
      auto* same = get(id);
      if (same && same->starts == start && same->detail.state == ContainerState::Running) then(*same);
    };
  };
  if (container->image.starts_with("crash")) after(50ms, later([this](Container& each) { end(each, 3); }));
  bool const is_well = container->image.starts_with("well");
  if (is_well || container->image.starts_with("sick")) {
    detail.health = model::Health::Starting;
    after(1s, later([this, is_well](Container& each) {
            each.detail.health = is_well ? model::Health::Healthy : model::Health::Unhealthy;
            hint(model::ContainerTouched{each.detail.id});
          }));
  }
  return model::Acknowledged{};
}
FakeDocker::Reply FakeDocker::on(model::StopContainer const& call) {
  auto* container = get(call.id);
  if (container && holds_ports(*container)) end(*container, container->image.starts_with("calm") ? 0 : 143);
  return model::Acknowledged{};
}
FakeDocker::Reply FakeDocker::on(model::KillContainer const& call) {
  auto* container = get(call.id);
  if (container && holds_ports(*container)) end(*container, 137);
  return model::Acknowledged{};
}
FakeDocker::Reply FakeDocker::on(model::RemoveContainer const& call) {
  containers_.erase(call.id);
  return model::Acknowledged{};
}
FakeDocker::Reply FakeDocker::on(model::InspectContainer const& call) {
  auto* container = get(call.id_or_name);
  if (!container) return refuse(error::kNoSuchContainer, "no such container", Code::NotFound);
  return container->detail;
}
FakeDocker::Reply FakeDocker::on(model::ListContainers const& call) {
  model::ContainerList list;
  for (auto const& [id, container] : containers_) {
    auto const& labels = container.detail.labels;
    bool const matches = std::ranges::all_of(call.labels, [&](auto const& wanted) {
      auto const found = labels.find(wanted.first);
      return found != labels.end() && found->second == wanted.second;
    });
    if (matches) list.all.push_back({id, container.detail.name, labels, container.detail.state});
  }
  return list;
}
FakeDocker::Reply FakeDocker::on(model::ReadStats const&) { return model::ContainerStats{}; }
FakeDocker::Reply FakeDocker::on(model::ReadEngineInfo const&) { return model::EngineInfo{"20.10", "1.41", "linux/amd64", 4, {8LL << 30}}; }

void FakeEngine::call(model::EngineCall call, Monotonic, ports::Done<model::EngineReply> done) {
  auto const number = ++docker_.calls_;
  auto fault = docker_.on_call ? docker_.on_call(number, call) : std::nullopt;
  bool const is_pull = std::holds_alternative<model::PullImage>(call);
  auto const before = is_pull ? Duration(5s) : docker_.latency();
  docker_.after(before, [docker = &docker_, alive = std::weak_ptr(alive_), call = std::move(call), done = std::move(done),
                         fault = std::move(fault)]() mutable {
    auto reply = !fault || fault->is_done ? docker->perform(call) : FakeDocker::Reply(std::unexpected(fault->error));
    if (fault) reply = std::unexpected(fault->error);
    docker->after(docker->latency(), [alive = std::move(alive), done = std::move(done), reply = std::move(reply)]() mutable {
      if (!alive.expired()) done(std::move(reply));
    });
  });
}

void FakeEngine::watch(std::function<void(model::EngineHint)> on_hint) {
  auto const deliver = [loop = &loop_, alive = std::weak_ptr(alive_), on_hint = std::move(on_hint)](model::EngineHint hint) {
    loop->post([alive, on_hint, hint = std::move(hint)] {
      if (!alive.expired()) on_hint(hint);
    });
  };
  docker_.watchers_.emplace_back(alive_, deliver);
  if (!docker_.away_) deliver(model::EngineUp{});
}

}  // namespace davit::sim
