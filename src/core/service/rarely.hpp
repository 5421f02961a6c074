// A value that most of many owners do not have: as long as it is T{}, it takes no more than a pointer.
#pragma once

#include <memory>
#include <utility>

namespace davit::service {

template <class T>
class Rarely {
 public:
  T const& operator*() const { return held_ ? *held_ : kNone; }
  T const* operator->() const { return &**this; }

  template <class Change>
  void change(Change const& change) {
    auto value = held_ ? std::move(*held_) : T{};
    change(value);
    if (value == kNone) held_.reset();
    else if (held_) *held_ = std::move(value);
    else held_ = std::make_unique<T>(std::move(value));
  }

 private:
  static inline T const kNone{};
  std::unique_ptr<T> held_;
};

}  // namespace davit::service
