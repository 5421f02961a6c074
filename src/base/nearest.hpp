// "did you mean …?": the known word nearest to an unknown one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace davit {

// The candidate with the smallest edit distance, or "" when none is near enough to be a help.
std::string nearest(std::string_view word, std::span<std::string const> candidates);

}  // namespace davit
