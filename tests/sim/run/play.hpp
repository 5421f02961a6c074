// Seed after seed until one breaks an invariant, and what is printed meanwhile.
#pragma once

#include "sim/run/arguments.hpp"

namespace davit::sim {

Duration cpu_used();  // by this process

// False: an invariant is broken.
bool play(Arguments const& arguments);

}  // namespace davit::sim
