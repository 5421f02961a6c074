// A model::ContainerRef as a master keeps it, 100,000 times for one service: in one piece, and of an id that is 64 hexadecimal
// digits, as the engine makes them, 32 bytes. A value.
#pragma once

#include <string>

#include "model/instance.hpp"

namespace davit::service {

class PackedContainer {
 public:
  PackedContainer() = default;
  explicit PackedContainer(model::ContainerRef const& container);

  std::string id() const;
  model::ContainerRef unpacked() const;

 private:
  // Nothing; or a mark, 32 bytes of the id, name, 0, address; or another mark, the id as it is, 0, name, 0, address.
  std::string bytes_;
};

}  // namespace davit::service
