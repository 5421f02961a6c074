#include "model/amount.hpp"

#include <cmath>

namespace davit::model {

Amount amount_of(double cpus, Bytes memory) { return {std::llround(cpus * 1e6), memory.count}; }

}  // namespace davit::model
