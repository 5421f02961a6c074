// The calls: what becomes of each, and what it does.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "sim/fake_docker.hpp"

namespace davit::sim {
namespace {

namespace error = model::engine_error;

std::unexpected<Error> refuse(Code code, std::string_view field, std::string message) {
  return fail(code, std::move(message), std::string(field));
}
std::unexpected<Error> no_such_container(std::string const& id) {
  return refuse(Code::NotFound, error::kNoSuchContainer, "No such container: " + id);
}
std::unexpected<Error> disk_full() { return refuse(Code::Full, "", "no space left on device"); }

}  // namespace

void FakeDocker::call(std::uint64_t caller, model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) {
  auto const number = ++calls_begun_;
  auto course = course_of(number, call);
  calls_.begin({number, caller, std::move(call)}, std::move(course), deadline, std::move(done));
}

EngineCalls::Course FakeDocker::course_of(std::uint64_t number, model::EngineCall const& call) {
  auto const fault = on_call ? on_call(number, call) : std::nullopt;
  EngineCalls::Course course{.there = latency(), .back = latency()};
  if (!is_up_) {
    course.is_performed = false;
    course.told = Error{Code::Unavailable, "connection refused", std::string(error::kEngineAway)};
    return course;
  }
  if (auto const longer = delays_.find(call.index()); longer != delays_.end()) course.there += longer->second;
  if (!fault) return course;
  course.is_performed = fault->is_done;
  course.is_answered = fault->error.has_value();
  course.told = fault->error;
  return course;
}

Duration FakeDocker::latency() {
  auto const choices = std::chrono::ceil<std::chrono::milliseconds>(options_.latency).count();
  return std::chrono::milliseconds(choices == 0 ? 0 : 1 + random_() % static_cast<std::uint64_t>(choices));
}

void FakeDocker::perform(Flight const& flight) {
  std::visit(
      [&](auto const& call) {
        if constexpr (requires { begin(flight, call); }) begin(flight, call);
        else calls_.answer(flight.number, on(call));
      },
      flight.call);
}

void FakeDocker::begin(Flight const& flight, model::PullImage const& call) {
  auto const image = images_.find_in_registry(call.reference);
  auto const number = flight.number;
  if (!image) return calls_.answer(number, refuse(Code::NotFound, error::kNoSuchImage, "manifest unknown: " + call.reference));
  auto const end = [this, number, reference = call.reference, digest = image->digest] {
    if (disk_is_full_) return calls_.answer(number, disk_full());
    images_.add(reference);
    calls_.answer(number, model::Pulled{digest});
  };
  pulls_.begin({.reference = call.reference,
                .image = *image,
                .is_wanted = [this, number] { return calls_.is_under_way(number); },
                .on_progress = [this, caller = flight.caller](model::PullProgress progress) { watchers_.tell(caller, progress); },
                .on_end = end});
}

void FakeDocker::begin(Flight const& flight, model::StopContainer const& call) {
  auto* container = containers_.find(call.id);
  auto const then = [this, number = flight.number] { calls_.answer(number, model::Acknowledged{}); };
  if (container) containers_.stop(*container, call.grace, then);
  else then();
}

FakeDocker::Reply FakeDocker::on(model::InspectImage const& call) { return images_.inspect(call.reference); }

FakeDocker::Reply FakeDocker::on(model::CreateContainer const& call) {
  auto const image = images_.find(call.image);
  if (!image) return refuse(Code::NotFound, error::kNoSuchImage, "No such image: " + call.image);
  if (containers_.find(call.name)) return refuse(Code::Exists, error::kNameInUse, fmt::format("the name {} is in use", call.name));
  if (disk_is_full_) return disk_full();
  auto wanted = call;
  auto const& users = wanted.spec->environment.items;
  wanted.environment.insert(users.begin(), users.end());
  auto program = options_.catalogue.program(wanted);
  auto const& container = containers_.add(new_id(), wanted, *image, std::move(program));
  auto const& labels = container.detail.labels;
  auto const cluster = labels.find("davit.cluster");
  tell(container, model::ContainerAppeared{container.detail.id, cluster == labels.end() ? "" : cluster->second});
  return model::Created{.id = container.detail.id};
}

FakeDocker::Reply FakeDocker::on(model::StartContainer const& call) {
  auto* container = containers_.find(call.id);
  if (!container) return no_such_container(call.id);
  TRY_VOID(containers_.start(*container));
  return model::Acknowledged{};
}

FakeDocker::Reply FakeDocker::on(model::KillContainer const& call) {
  constexpr std::int64_t kKilled = 128 + 9;
  kill(call.id, kKilled);
  return model::Acknowledged{};
}

FakeDocker::Reply FakeDocker::on(model::RemoveContainer const& call) {
  remove(call.id);
  return model::Acknowledged{};
}

FakeDocker::Reply FakeDocker::on(model::InspectContainer const& call) {
  auto const* container = find(call.id_or_name);
  if (!container) return no_such_container(call.id_or_name);
  return container->detail;
}

FakeDocker::Reply FakeDocker::on(model::ListContainers const& call) {
  model::ContainerList list;
  for (auto const& [id, container] : containers()) {
    auto const& labels = container.detail.labels;
    bool const matches = std::ranges::all_of(call.labels, [&](auto const& wanted) {
      auto const found = labels.find(wanted.first);
      return found != labels.end() && found->second == wanted.second;
    });
    if (matches) list.all.push_back({id, container.detail.name, labels, container.detail.state});
  }
  return list;
}

FakeDocker::Reply FakeDocker::on(model::ReadStats const& call) {
  auto const* container = find(call.id);
  if (!container) return no_such_container(call.id);
  if (!container->is_alive()) return model::ContainerStats{};
  auto const age = loop_.now().monotonic - container->started;
  auto const used = std::chrono::duration_cast<Duration>(age * container->program.cpus);
  return model::ContainerStats{.cpu_time = used, .memory = container->program.memory};
}

FakeDocker::Reply FakeDocker::on(model::ReadEngineInfo const&) { return options_.info; }

}  // namespace davit::sim
