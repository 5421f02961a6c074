#include "sim/engine_calls.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace davit::sim {
namespace {

namespace error = model::engine_error;

// As adapters/engine_docker has them.
constexpr Duration kShortCall = 60s;
constexpr Duration kPull = 30min;
constexpr Duration kAfterGrace = 30s;

template <class Wanted>
bool is(model::EngineCall const& call) {
  return std::holds_alternative<Wanted>(call);
}

bool is_read(model::EngineCall const& call) {
  return is<model::InspectImage>(call) || is<model::InspectContainer>(call) || is<model::ListContainers>(call) ||
         is<model::ReadStats>(call) || is<model::ReadEngineInfo>(call);
}

Duration default_time(model::EngineCall const& call) {
  if (auto const* stop = std::get_if<model::StopContainer>(&call)) return stop->grace + kAfterGrace;
  return is<model::PullImage>(call) ? kPull : kShortCall;
}

}  // namespace

Error too_late(model::EngineCall const& call) {
  if (is<model::PullImage>(call)) return {Code::Deadline, "the pull did not end in time", std::string(error::kRegistry)};
  if (is_read(call)) return {Code::Deadline, "no answer in time: the engine hangs or is overloaded", std::string(error::kEngineAway)};
  return {Code::UnknownOutcome, "no answer in time: the request may have been carried out", {}};
}

Error connection_lost(model::EngineCall const& call) {
  if (is_read(call) || is<model::PullImage>(call))
    return {Code::Unavailable, "the connection to the engine broke", std::string(error::kEngineAway)};
  return {Code::UnknownOutcome, "the connection to the engine broke: the request may have been carried out", {}};
}

void EngineCalls::begin(Flight flight, Course course, Monotonic deadline, ports::Done<model::EngineReply> done) {
  auto const number = flight.number;
  auto const now = loop_.now().monotonic;
  if (deadline == kNever) deadline = now + default_time(flight.call);
  auto const [place, is_new] = under_way_.try_emplace(
      number, Entry{std::move(flight), std::move(course), std::move(done), {}, loop_.make_timer(), loop_.make_timer()});
  CHECK(is_new, "call {} is under way already", number);
  auto& entry = place->second;
  if (deadline <= now) {
    entry.course.is_performed = false;
    entry.course.told = Error{Code::Deadline, "the deadline had passed before the call", std::string(error::kEngineAway)};
  } else {
    entry.deadline->set(deadline, [this, number] { give_up(number); });
  }
  proceed_after(entry.course.there, entry);
}

void EngineCalls::proceed_after(Duration wait, Entry& entry) {
  entry.progress->set(loop_.now().monotonic + wait, [this, number = entry.flight.number] { proceed(number); });
}

// It has arrived at the engine, or its answer at the caller.
void EngineCalls::proceed(std::uint64_t number) {
  auto& entry = under_way_.at(number);
  if (is_frozen_) return waiting_.push_back(number);
  if (entry.reply) return finish(number, *std::move(entry.reply));
  if (entry.course.is_performed) return perform_(entry.flight);
  if (entry.course.told) answer(number, std::unexpected(*entry.course.told));
}

void EngineCalls::answer(std::uint64_t number, Reply reply) {
  auto const found = under_way_.find(number);
  if (found == under_way_.end()) return;
  auto& entry = found->second;
  if (entry.course.told) reply = std::unexpected(*entry.course.told);
  if (!entry.course.is_answered) return;
  entry.reply = std::move(reply);
  proceed_after(entry.course.back, entry);
}

void EngineCalls::finish(std::uint64_t number, Reply reply) {
  auto const entry = under_way_.extract(number);
  if (entry.mapped().done) entry.mapped().done(std::move(reply));
}

// The call goes on without its caller; only a pull ends with the connection that it is told on.
void EngineCalls::give_up(std::uint64_t number) {
  auto& entry = under_way_.at(number);
  auto const done = std::exchange(entry.done, nullptr);
  auto const why = too_late(entry.flight.call);
  if (is<model::PullImage>(entry.flight.call) || entry.reply || !entry.course.is_answered) under_way_.erase(number);
  if (done) done(std::unexpected(why));
}

void EngineCalls::set_frozen(bool frozen) {
  is_frozen_ = frozen;
  if (frozen) return;
  for (auto const number : std::exchange(waiting_, {})) {
    if (auto const found = under_way_.find(number); found != under_way_.end()) proceed_after(Duration::zero(), found->second);
  }
}

// Callers learn of it a moment later, not inside of what broke the connection.
void EngineCalls::break_all() {
  is_frozen_ = false;
  waiting_.clear();
  std::erase_if(under_way_, [](auto const& each) { return !each.second.done; });
  for (auto& [number, entry] : under_way_) {
    entry.reply = std::unexpected(connection_lost(entry.flight.call));
    proceed_after(Duration::zero(), entry);
  }
}

void EngineCalls::drop(std::uint64_t caller) {
  for (auto& [number, entry] : under_way_) {
    if (entry.flight.caller == caller) entry.done = nullptr;
  }
  std::erase_if(under_way_,
                [&](auto const& each) { return each.second.flight.caller == caller && is<model::PullImage>(each.second.flight.call); });
}

}  // namespace davit::sim
