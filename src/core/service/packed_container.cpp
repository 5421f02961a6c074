#include "core/service/packed_container.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace davit::service {
namespace {

constexpr std::size_t kIdBytes = 32;
constexpr char kBinary = 'b';
constexpr char kText = 't';
constexpr std::string_view kDigits = "0123456789abcdef";

bool is_usual(std::string_view id) {
  auto const is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return id.size() == 2 * kIdBytes && std::ranges::all_of(id, is_digit);
}

unsigned value_of(char digit) { return static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

std::string_view take_until_zero(std::string_view& rest) {
  auto const taken = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(taken.size() + 1, rest.size()));
  return taken;
}

std::string take_id(std::string_view& rest) {
  if (rest.empty()) return {};
  bool const is_binary = rest.front() == kBinary;
  rest.remove_prefix(1);
  if (!is_binary) return std::string(take_until_zero(rest));
  std::string id;
  id.reserve(2 * kIdBytes);
  for (auto const c : rest.substr(0, kIdBytes)) {
    auto const byte = static_cast<unsigned char>(c);
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  rest.remove_prefix(kIdBytes);
  return id;
}

}  // namespace

PackedContainer::PackedContainer(model::ContainerRef const& container) {
  if (container == model::ContainerRef{}) return;
  auto const& [id, name, address] = container;
  bool const is_binary = is_usual(id);
  bytes_.reserve(1 + (is_binary ? kIdBytes : id.size() + 1) + name.size() + 1 + address.size());
  bytes_ += is_binary ? kBinary : kText;
  if (is_binary) {
    for (std::size_t i = 0; i < id.size(); i += 2) bytes_ += static_cast<char>(value_of(id[i]) << 4 | value_of(id[i + 1]));
  } else {
    bytes_ += id;
    bytes_ += '\0';
  }
  bytes_ += name;
  bytes_ += '\0';
  bytes_ += address;
}

std::string PackedContainer::id() const {
  std::string_view rest = bytes_;
  return take_id(rest);
}

model::ContainerRef PackedContainer::unpacked() const {
  std::string_view rest = bytes_;
  model::ContainerRef container{.id = take_id(rest), .name = {}, .address = {}};
  container.name = take_until_zero(rest);
  container.address = rest;
  return container;
}

}  // namespace davit::service
