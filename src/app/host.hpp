// What this machine is: its name, its address, its load, and randomness from its kernel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "ports/node.hpp"

namespace davit::app {

std::string host_name();
// The source address of the default route; 127.0.0.1 where there is none.
std::string default_route_address();
std::uint64_t random_id60();

// From /proc, as differences between two calls.
class ProcLoadMeter : public ports::LoadMeter {
 public:
  explicit ProcLoadMeter(std::filesystem::path proc = "/proc") : proc_(std::move(proc)) {}
  model::NodeLoad measure() override;

 private:
  double measure_cpus();

  std::filesystem::path proc_;
  std::uint64_t busy_ticks_ = 0;
  std::uint64_t all_ticks_ = 0;
};

}  // namespace davit::app
