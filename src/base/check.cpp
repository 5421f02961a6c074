#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace davit {

void check_failed(std::string_view file, int line, std::string_view condition, std::string const& message) noexcept {
  fmt::print(stderr, "davit: broken invariant at {}:{}: {} {}\n", file, line, condition, message);
  std::fflush(stderr);
  std::abort();
}

}  // namespace davit
