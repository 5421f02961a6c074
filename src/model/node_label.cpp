#include "model/node_label.hpp"

#include <fmt/core.h>

namespace davit::model {

Status check_label_key(std::string_view key) {
  if (!key.empty() && !key.contains('=') && key.size() <= kMostLabelBytes) return {};
  return fail(Code::Invalid, fmt::format("a key has from 1 to {} bytes, and no '='", kMostLabelBytes));
}

Status check_label_value(std::string_view value) {
  if (value.size() <= kMostLabelBytes) return {};
  return fail(Code::Invalid, fmt::format("at most {} bytes", kMostLabelBytes));
}

}  // namespace davit::model
