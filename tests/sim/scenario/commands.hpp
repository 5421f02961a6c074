// The words of scenarios (tests/sim/scenarios/README.md says what each does). Every one is done at once; only `run`, `expect` and what
// users ask without `ask` let time pass.
#pragma once

#include <span>
#include <string_view>

#include "sim/scenario/script.hpp"
#include "sim/scenario/stage.hpp"

namespace davit::sim {

struct Verb {
  std::string_view name;
  Status (*perform)(Stage& stage, Words const& words);  // words[0] is the name
};

std::span<Verb const> user_verbs();       // users.cpp
std::span<Verb const> fault_verbs();      // faults.cpp
Status expect(Stage& stage, Words const& words);  // expectations.cpp

Status wrong(Words const& words, std::string_view usage);

}  // namespace davit::sim
