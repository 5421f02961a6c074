// Pipes, through which splice moves what one socket has to the other without copying it. A connection holds one only while bytes are in it,
// so that those which rest cost none. One thread's own.
#pragma once

#include <optional>
#include <vector>

#include "runtime/fd.hpp"

namespace davit::ingress {

struct Pipe {
  runtime::Fd out;  // its reading end
  runtime::Fd in;
};

class Pipes {
 public:
  std::optional<Pipe> take();  // none: the process has no file descriptors left; errno says it
  void give_back(Pipe empty) {
    if (kept_.size() < kMostKept) kept_.push_back(std::move(empty));
  }

 private:
  static constexpr std::size_t kMostKept = 64;
  std::vector<Pipe> kept_;
};

}  // namespace davit::ingress
