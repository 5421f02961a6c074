#include "codec/json_plain.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "codec/json.hpp"

namespace davit::codec {
namespace {

// Each function reads what begins here, and says whether it could.
class PlainParser {
 public:
  explicit PlainParser(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool read_whole(Value& into) { return read(into, 0) && next() == '\0' && at_ == end_; }

 private:
  // The next character that is no space; 0 at the end, or where one stands.
  char next() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool read(Value& into, std::size_t depth) {
    switch (next()) {
      case '{': return depth < kMaxDepth && read_object(into, depth);
      case '[': return depth < kMaxDepth && read_array(into, depth);
      case '"': {
        std::string text;
        if (!read_string(text)) return false;
        into = Value(std::move(text));
        return true;
      }
      case 't': into = Value(true); return take_word("true");
      case 'f': into = Value(false); return take_word("false");
      case 'n': into = Value(); return take_word("null");
      case '\0': return false;
      default: return read_number(into);
    }
  }

  bool read_object(Value& into, std::size_t depth) {
    std::vector<Member> members;
    ++at_;
    if (!take('}')) {
      do {
        auto& member = members.emplace_back();
        if (next() != '"' || !read_string(member.key) || !take(':') || !read(member.value, depth + 1)) return false;
      } while (take(','));
      if (!take('}')) return false;
    }
    auto object = Object::from_members(std::move(members));
    if (!object) return false;
    into = Value(*std::move(object));
    return true;
  }

  bool read_array(Value& into, std::size_t depth) {
    Value::Array items;
    ++at_;
    if (!take(']')) {
      do {
        if (!read(items.emplace_back(), depth + 1)) return false;
      } while (take(','));
      if (!take(']')) return false;
    }
    into = Value(std::move(items));
    return true;
  }

  bool read_string(std::string& into) {
    auto const* const begin = ++at_;
    while (at_ != end_ && *at_ != '"') {
      auto const c = static_cast<unsigned char>(*at_);
      if (c < 0x20 || c > 0x7E || c == '\\') return false;
      ++at_;
    }
    if (at_ == end_) return false;
    into.assign(begin, at_);
    ++at_;
    return true;
  }

  bool read_number(Value& into) {
    auto const* const begin = at_;
    if (!skip_number()) return false;
    auto const* const point = std::find(begin, at_, '.');
    return point == at_ ? convert<std::int64_t>(begin, into) : convert<double>(begin, into);
  }

  bool skip_number() {
    if (*at_ == '-') ++at_;
    auto const* const begin = at_;
    if (!skip_digits() || (*begin == '0' && at_ - begin > 1)) return false;
    if (at_ != end_ && *at_ == '.' && (++at_, !skip_digits())) return false;
    return at_ == end_ || (*at_ != 'e' && *at_ != 'E');
  }
  bool skip_digits() {
    auto const* const begin = at_;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ != begin;
  }

  template <class Number>
  bool convert(char const* begin, Value& into) {
    Number number{};
    auto const [end, failed] = std::from_chars(begin, at_, number);
    into = Value(number);
    return end == at_ && failed == std::errc{};
  }

  char const* at_;
  char const* end_;
};

}  // namespace

std::optional<Value> parse_plain_json(std::string_view text) {
  std::optional<Value> value(std::in_place);
  if (!PlainParser(text).read_whole(*value)) value.reset();
  return value;
}

}  // namespace davit::codec
