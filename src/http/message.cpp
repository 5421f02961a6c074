#include "http/message.hpp"

#include <algorithm>

namespace davit::http {
namespace {

// Not std::tolower: header names are ASCII whatever the locale.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

void Headers::set(std::string_view name, std::string value) {
  erase(name);
  add(std::string(name), std::move(value));
}

void Headers::erase(std::string_view name) {
  std::erase_if(items_, [name](Item const& item) { return equals_ignoring_case(item.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (auto const& [known, value] : items_) {
    if (equals_ignoring_case(known, name)) return value;
  }
  return std::nullopt;
}

std::string_view Body::view() const {
  if (auto const* own = std::get_if<std::string>(&bytes_)) return *own;
  auto const& shared = std::get<std::shared_ptr<std::string const>>(bytes_);
  return shared ? std::string_view(*shared) : std::string_view{};
}

std::string Body::take() && {
  if (auto* own = std::get_if<std::string>(&bytes_)) return std::move(*own);
  return std::string(view());
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (auto const& [known, value] : query) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace davit::http
