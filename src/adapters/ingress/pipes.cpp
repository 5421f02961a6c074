#include "adapters/ingress/pipes.hpp"

#include <array>

#include <fcntl.h>

namespace davit::ingress {
namespace {

constexpr int kSize = 1 << 20;

}  // namespace

std::optional<Pipe> Pipes::take() {
  if (!kept_.empty()) {
    auto pipe = std::move(kept_.back());
    kept_.pop_back();
    return pipe;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return std::nullopt;
  ::fcntl(ends[0], F_SETPIPE_SZ, kSize);  // where the kernel grants less, it does with less
  return Pipe{.out = runtime::Fd(ends[0]), .in = runtime::Fd(ends[1])};
}

}  // namespace davit::ingress
