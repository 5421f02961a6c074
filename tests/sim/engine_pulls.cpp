#include "sim/engine_pulls.hpp"

#include <algorithm>
#include <utility>

namespace davit::sim {
namespace {

constexpr Duration kStep = 250ms;

}  // namespace

void EnginePulls::begin(Pull pull) {
  auto const number = ++last_;
  auto const step = std::min(kStep, pull.image.pull_time);
  under_way_.emplace(number, Entry{std::move(pull), Duration::zero(), loop_.make_timer()});
  proceed_after(number, step);
}

void EnginePulls::proceed_after(std::uint64_t number, Duration step) {
  under_way_.at(number).timer->set(loop_.now().monotonic + step, [this, number, step] { proceed(number, step); });
}

void EnginePulls::proceed(std::uint64_t number, Duration step) {
  auto& [pull, done, timer] = under_way_.at(number);
  if (!pull.is_wanted()) {
    under_way_.erase(number);
    return;
  }
  if (is_frozen_) return proceed_after(number, kStep);
  done += step;
  if (done >= pull.image.pull_time) {
    auto const on_end = std::move(pull.on_end);
    under_way_.erase(number);
    return on_end();
  }
  auto const share = std::chrono::duration<double>(done) / std::chrono::duration<double>(pull.image.pull_time);
  pull.on_progress({pull.reference, static_cast<std::int64_t>(share * static_cast<double>(pull.image.bytes)), pull.image.bytes});
  proceed_after(number, std::min(kStep, pull.image.pull_time - done));
}

}  // namespace davit::sim
