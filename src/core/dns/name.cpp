#include "core/dns/name.hpp"

namespace davit::dns {
namespace {

constexpr std::size_t kMaxLabel = 63;

}  // namespace

bool Name::add(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel || size_ + label.size() + 2 > kMaxSize) return false;
  starts_[count_++] = size_;
  bytes_[size_++] = static_cast<char>(label.size());
  for (char const c : label) bytes_[size_++] = lower(c);
  return true;
}

std::optional<Name> Name::read(Bytes message, std::size_t at) {
  std::optional<Name> name(std::in_place);
  while (at < message.size()) {
    std::size_t const length = message[at++];
    if (length == 0) {
      name->end();
      return name;
    }
    if (length > kMaxLabel || length > message.size() - at) return std::nullopt;
    if (!name->add({reinterpret_cast<char const*>(message.data()) + at, length})) return std::nullopt;
    at += length;
  }
  return std::nullopt;
}

std::optional<Name> Name::parse(std::string_view text) {
  std::optional<Name> name(std::in_place);
  if (text.ends_with('.')) text.remove_suffix(1);
  while (!text.empty()) {
    auto const dot = text.find('.');
    if (!name->add(text.substr(0, dot))) return std::nullopt;
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
    if (text.empty()) return std::nullopt;
  }
  name->end();
  return name;
}

std::string_view Name::label(std::size_t index) const {
  auto const start = starts_[index];
  return {bytes_.data() + start + 1, static_cast<std::size_t>(static_cast<unsigned char>(bytes_[start]))};
}

bool Name::is_within(Name const& domain) const {
  if (domain.count_ > count_) return false;
  auto const own = count_ - domain.count_;
  auto const start = own < count_ ? starts_[static_cast<std::size_t>(own)] : size_ - 1;
  return wire().substr(static_cast<std::size_t>(start)) == domain.wire();
}

std::string to_string(Name const& name) {
  std::string text;
  for (std::size_t i = 0; i < name.count(); ++i) text.append(i > 0 ? "." : "").append(name.label(i));
  return text.empty() ? "." : text;
}

}  // namespace davit::dns
