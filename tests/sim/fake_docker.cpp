// What a test does to the engine, and what the engine says of it by itself.
#include "sim/fake_docker.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr std::int64_t kKilled = 128 + 9;
constexpr std::int64_t kUnknownExit = 255;  // what an engine says of those that died without it

}  // namespace

FakeDocker::FakeDocker(ports::Loop& loop, FakeDockerOptions options)
    : loop_(loop),
      options_(std::move(options)),
      random_(options_.seed),
      images_(options_.catalogue.image),
      logs_(loop),
      watchers_(loop),
      containers_(
          loop, options_.wall ? options_.wall : std::function<Wall()>([&loop] { return loop.now().wall; }),
          [this](FakeContainer const& changed) {
            on_change(changed);
            tell(changed, model::ContainerTouched{changed.detail.id});
          },
          [this] { logs_.wake(); }),
      calls_(loop, [this](Flight const& flight) { perform(flight); }),
      pulls_(loop) {}

std::vector<std::string> FakeDocker::running() const {
  std::vector<std::string> names;
  for (auto const& [id, container] : containers()) {
    if (container.detail.state == model::ContainerState::Running) names.push_back(container.detail.name);
  }
  std::ranges::sort(names);
  return names;
}

void FakeDocker::kill(std::string const& name, std::int64_t exit_code) {
  if (auto* container = containers_.find(name)) containers_.end(*container, {.code = exit_code});
}
void FakeDocker::kill_for_memory(std::string const& name) {
  if (auto* container = containers_.find(name)) containers_.end(*container, {.code = kKilled, .oom_killed = true});
}
void FakeDocker::remove(std::string const& name) {
  if (auto* container = containers_.find(name)) containers_.remove(*container);
}
void FakeDocker::pause(std::string const& name, bool paused) {
  if (auto* container = containers_.find(name)) containers_.pause(*container, paused);
}
void FakeDocker::touch(std::string const& name) {
  if (auto const* container = find(name)) tell(*container, model::ContainerTouched{container->detail.id});
}
void FakeDocker::add_foreign(std::string const& name, std::map<std::string, std::string> labels, std::vector<std::uint16_t> ports) {
  containers_.add_foreign(new_id(), name, std::move(labels), ports);
}

void FakeDocker::crash(Fate containers) {
  is_up_ = false;
  is_frozen_ = false;
  calls_.break_all();
  pulls_.set_frozen(false);
  logs_.set_frozen(false);
  logs_.end_all({Code::Unavailable, "the connection to the engine broke", std::string(model::engine_error::kEngineAway)});
  watchers_.set_down("connection refused");
  containers_.forget_stops();
  if (containers == Fate::Die) containers_.end_all({.code = kUnknownExit});
}

void FakeDocker::start() {
  if (std::exchange(is_up_, true)) return;
  watchers_.set_up();
}

void FakeDocker::freeze() {
  if (!is_up_ || std::exchange(is_frozen_, true)) return;
  calls_.set_frozen(true);
  pulls_.set_frozen(true);
  logs_.set_frozen(true);
  watchers_.set_frozen(true);
}

void FakeDocker::thaw() {
  if (!std::exchange(is_frozen_, false)) return;
  watchers_.set_frozen(false);
  logs_.set_frozen(false);
  pulls_.set_frozen(false);
  calls_.set_frozen(false);
}

void FakeDocker::wipe_disk() {
  containers_.clear();
  images_.clear();
}

// As the adapter asks for them: those of containers with Davit's label.
void FakeDocker::tell(FakeContainer const& container, model::EngineHint event) {
  if (!is_up_ || !container.detail.labels.contains("davit.cluster")) return;
  if (lose_one_event_in_ != 0 && random_() % lose_one_event_in_ == 0) return;
  watchers_.tell(event);
}

std::string FakeDocker::new_id() { return fmt::format("c{}-{}", options_.seed, ++ids_); }

void FakeDocker::disconnect(std::uint64_t caller) {
  watchers_.drop(caller);
  logs_.drop(caller);
  calls_.drop(caller);
}

std::unique_ptr<ports::LogReader> FakeDocker::read_logs(std::uint64_t caller, ports::LogQuery query,
                                                        std::function<void(ports::LogLine)> on_line, std::function<void(Status)> on_end) {
  namespace error = model::engine_error;
  if (!is_up_) return logs_.refuse(caller, {Code::Unavailable, "connection refused", std::string(error::kEngineAway)}, std::move(on_end));
  auto const* container = find(query.container);
  if (!container) {
    return logs_.refuse(caller, {Code::NotFound, "No such container: " + query.container, std::string(error::kNoSuchContainer)},
                        std::move(on_end));
  }
  return logs_.read(caller, container->log, std::move(query), std::move(on_line), std::move(on_end));
}

}  // namespace davit::sim
