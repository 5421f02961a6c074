// A node's place in the tables of one process: dense, valid in that process only. NodeId is what lasts.
#pragma once

#include <cstdint>

namespace davit::model {

enum class NodeIx : std::uint32_t {};
inline constexpr NodeIx kNoNode{0xffffffff};

}  // namespace davit::model
