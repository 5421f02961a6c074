// Answers probes at once: every instance passes, or as the test says.
#pragma once

#include <functional>
#include <utility>

#include "ports/loop.hpp"
#include "ports/prober.hpp"

namespace davit::sim {

class FakeProber final : public ports::Prober {
 public:
  using Judge = std::function<Status(model::ProbeTarget const&)>;
  explicit FakeProber(
      ports::Loop& loop, Judge judge = [](model::ProbeTarget const&) { return Status(); })
      : loop_(loop),
        judge_(std::move(judge)) {}
  void probe(model::ProbeTarget target, Monotonic, ports::Done<void> done) override {
    loop_.post([this, target = std::move(target), done = std::move(done)] { done(judge_(target)); });
  }

 private:
  ports::Loop& loop_;
  Judge judge_;
};

}  // namespace davit::sim
