// The pulls under way on one engine: progress four times a second, then the end. Owned by FakeDocker.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "model/engine.hpp"
#include "ports/loop.hpp"
#include "sim/engine_program.hpp"

namespace davit::sim {

class EnginePulls {
 public:
  struct Pull {
    std::string reference;
    Image image;
    std::function<bool()> is_wanted;  // its caller is still there, and so is the connection
    std::function<void(model::PullProgress)> on_progress;
    std::function<void()> on_end;
  };

  explicit EnginePulls(ports::Loop& loop) : loop_(loop) {}
  void begin(Pull pull);
  void set_frozen(bool frozen) { is_frozen_ = frozen; }  // they stand still

 private:
  struct Entry {
    Pull pull;
    Duration done{};
    std::unique_ptr<ports::Timer> timer;
  };
  void proceed_after(std::uint64_t number, Duration step);
  void proceed(std::uint64_t number, Duration step);

  ports::Loop& loop_;
  bool is_frozen_ = false;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Entry> under_way_;
};

}  // namespace davit::sim
