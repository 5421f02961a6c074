#include <array>
#include <charconv>
#include <cmath>

#include "codec/json.hpp"
#include "codec/utf8.hpp"

namespace davit::codec {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

class Writer {
 public:
  explicit Writer(Indent indent) : is_pretty_(indent == Indent::Pretty) {}

  void write(Value const& value) {
    switch (value.kind()) {
      case Value::Kind::Null: out += "null"; return;
      case Value::Kind::Bool: out += *value.as_bool() ? "true" : "false"; return;
      case Value::Kind::Integer: digits(*value.as_int()); return;
      case Value::Kind::Double: number(*value.as_number()); return;
      case Value::Kind::String: string(value.text()); return;
      case Value::Kind::Array: array(value.items()); return;
      case Value::Kind::Object: object(value.members()); return;
    }
  }

  void string(std::string_view text) {
    out += '"';
    std::size_t plain = 0;  // start of what needs no escape and is not written yet
    for (std::size_t i = 0; i < text.size();) {
      auto const byte = static_cast<unsigned char>(text[i]);
      auto const length = byte < 0x80 ? 1 : utf8_character(text.substr(i));
      if (length > 0 && byte >= 0x20 && byte != '"' && byte != '\\') {
        i += length;
        continue;
      }
      out += text.substr(plain, i - plain);
      if (length == 0) out += kReplacement;
      else escape(text[i]);
      plain = ++i;
    }
    out += text.substr(plain);
    out += '"';
  }

  std::string out;

 private:
  void escape(char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
      case '"': out += "\\\""; return;
      case '\\': out += "\\\\"; return;
      case '\n': out += "\\n"; return;
      case '\r': out += "\\r"; return;
      case '\t': out += "\\t"; return;
      default:
        out += "\\u00";
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[c & 15];
    }
  }

  void number(double value) {
    if (!std::isfinite(value)) out += "null";
    else if (std::abs(value) < 1e15 && value == std::trunc(value)) digits(static_cast<std::int64_t>(value));
    else digits(value);
  }

  void digits(auto value) {
    std::array<char, 32> text;
    auto const end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
  }

  void array(std::span<Value const> items) {
    out += '[';
    ++depth_;
    bool is_first = true;
    for (auto const& item : items) {
      next(std::exchange(is_first, false));
      write(item);
    }
    close(items.empty(), ']');
  }

  void object(std::span<Member const> members) {
    out += '{';
    ++depth_;
    bool is_first = true;
    for (auto const& member : members) {
      next(std::exchange(is_first, false));
      string(member.key);
      out += is_pretty_ ? ": " : ":";
      write(member.value);
    }
    close(members.empty(), '}');
  }

  void next(bool is_first) {
    if (!is_first) out += ',';
    if (is_pretty_) new_line();
  }
  void close(bool is_empty, char bracket) {
    --depth_;
    if (is_pretty_ && !is_empty) new_line();
    out += bracket;
  }
  void new_line() {
    out += '\n';
    out.append(2 * depth_, ' ');
  }

  bool is_pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string dump(Value const& value, Indent indent) {
  Writer writer(indent);
  writer.write(value);
  return std::move(writer.out);
}

std::string escape_json(std::string_view text) {
  Writer writer(Indent::Compact);
  writer.string(text);
  return std::move(writer.out);
}

}  // namespace davit::codec
