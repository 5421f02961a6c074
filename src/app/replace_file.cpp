#include "app/replace_file.hpp"

#include <fstream>
#include <system_error>

#include <fmt/core.h>

namespace davit::app {

Status replace_file(std::filesystem::path const& file, std::string_view text) {
  auto next = file;
  next += ".new";
  std::ofstream out(next, std::ios::trunc | std::ios::binary);
  out << text;
  out.close();
  if (!out) return fail(Code::Unavailable, fmt::format("{} cannot be written: is there space, and may davit write there?", next.string()));
  std::error_code error;
  std::filesystem::rename(next, file, error);
  if (error) return fail(Code::Unavailable, fmt::format("{} cannot be replaced: {}", file.string(), error.message()));
  return {};
}

}  // namespace davit::app
