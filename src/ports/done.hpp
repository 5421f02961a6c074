// The completion of a port call: runs exactly once, on the control thread, never inside the call, never after stop().
#pragma once

#include <functional>

#include "base/result.hpp"

namespace davit::ports {

template <class T>
using Done = std::function<void(Result<T>)>;

}  // namespace davit::ports
