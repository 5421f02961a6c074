// What a label of a node may be, whoever gives it.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace davit::model {

inline constexpr std::size_t kMostLabelBytes = 256;  // of a key, and of a value

// Code::Invalid: what is wrong with it, for people.
Status check_label_key(std::string_view key);
Status check_label_value(std::string_view value);

}  // namespace davit::model
