#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "codec/json.hpp"
#include "codec/json_plain.hpp"
#include "codec/utf8.hpp"
#include "model/problem.hpp"

namespace davit::codec {
namespace {

using Json = nlohmann::json;

constexpr int kNumberTooLarge = 406;  // nlohmann's number for it

struct Token {
  std::size_t start = 0;
  std::string_view text;  // empty at the end of the text
  char previous = '\0';   // the last character of the token before
};

// One past the closing quote, or npos.
std::size_t end_of_string(std::string_view text, std::size_t start) {
  for (std::size_t i = start + 1; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == '"') return i + 1;
  }
  return std::string_view::npos;
}

bool is_whole_word(std::string_view word) {
  auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (word == "true" || word == "false" || word == "null") return true;
  return (word[0] == '-' || is_digit(word[0])) && is_digit(word.back());
}

// The token that is broken or out of place, given that the parser gave up after `read` characters, which may be one more
// than the token has. nlohmann reports neither a token's start nor, reliably, its text.
Token broken_token(std::string_view text, std::size_t read) {
  constexpr std::string_view kSpace = " \t\r\n", kPunctuation = "{}[]:,", kWordEnd = " \t\r\n{}[]:,\"";
  Token token;
  for (std::size_t end = 0;; token.previous = text[end - 1]) {
    token.start = std::min(text.find_first_not_of(kSpace, end), text.size());
    token.text = {};
    if (token.start == text.size()) return token;
    bool is_whole = true;
    if (text[token.start] == '"') {
      end = end_of_string(text, token.start);
      is_whole = end != std::string_view::npos;
      end = std::min(end, text.size());
    } else if (kPunctuation.find(text[token.start]) != std::string_view::npos) {
      end = token.start + 1;
    } else {
      end = std::min(text.find_first_of(kWordEnd, token.start), text.size());
      is_whole = end > token.start && is_whole_word(text.substr(token.start, end - token.start));
    }
    token.text = text.substr(token.start, end - token.start);
    if (end >= read || !is_whole) return token;
  }
}

std::string show_token(std::string_view token) {
  std::string shown = "'";
  for (char const c : token.substr(0, 20)) shown += c >= 0x20 && c < 0x7F ? c : '?';
  return shown + (token.size() > 20 ? "…'" : "'");
}

// Builds the tree from nlohmann's events. Returning false ends the parse; error then says why.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  bool null() override { return add(Value()); }
  bool boolean(bool value) override { return add(Value(value)); }
  bool number_integer(number_integer_t value) override { return add(Value(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (!std::in_range<std::int64_t>(value)) return refuse_integer();
    return add(Value(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, std::string const& digits) override {
    // nlohmann turns an integer that is too long into a double without a word.
    if (digits.find_first_of(".eE") == std::string::npos) return refuse_integer();
    return add(Value(value));
  }
  bool string(std::string& value) override { return add(Value(std::move(value))); }
  bool binary(binary_t&) override { return false; }  // JSON text has none

  bool start_object(std::size_t) override { return open(true); }
  bool key(std::string& key) override {
    frames_.back().key = std::move(key);
    frames_.back().awaits_value = true;
    return true;
  }
  bool end_object() override {
    auto object = Object::from_members(std::move(frames_.back().members));
    if (!object) {
      auto const& key = object.error().message;
      frames_.back().key = key;
      return refuse(fmt::format("the key {} comes twice in one object", show_token(key)));
    }
    frames_.pop_back();
    return add(Value(*std::move(object)));
  }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override {
    auto items = std::move(frames_.back().items);
    frames_.pop_back();
    return add(Value(std::move(items)));
  }

  bool parse_error(std::size_t position, std::string const&, nlohmann::detail::exception const& cause) override {
    std::string_view const said = cause.what();
    bool const is_end = said.find("unexpected end of input") != std::string_view::npos;
    bool const is_string = said.find("invalid string") != std::string_view::npos;
    auto const broken = broken_token(text_, is_end ? text_.size() + 1 : position);
    auto const before = text_.substr(0, broken.start);
    auto const line = std::ranges::count(before, '\n') + 1;
    auto const column = broken.start - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    auto const reason = cause.id == kNumberTooLarge ? "this number is too large"
                        : is_string                 ? explain_string(broken.text)
                                                    : explain(broken);
    error = Error{Code::Invalid, fmt::format("not valid JSON at line {}, column {}: {}", line, column, reason), {}};
    return false;
  }

  Value root;
  Error error{Code::Invalid, "not valid JSON", {}};

 private:
  struct Frame {
    bool is_object = false;
    bool awaits_value = false;
    std::string key;
    std::vector<Member> members;
    Value::Array items;
  };

  bool open(bool is_object) {
    if (frames_.size() == kMaxDepth) return refuse(fmt::format("nested more than {} deep", kMaxDepth));
    frames_.emplace_back().is_object = is_object;
    return true;
  }

  bool add(Value value) {
    if (frames_.empty()) {
      root = std::move(value);
      return true;
    }
    auto& frame = frames_.back();
    frame.awaits_value = false;
    if (frame.is_object) frame.members.emplace_back(std::move(frame.key), std::move(value));
    else frame.items.push_back(std::move(value));
    return true;
  }

  bool refuse_integer() { return refuse("an integer beyond 64 bits; write it as a string"); }

  bool refuse(std::string reason) {
    std::string pointer = "#";
    for (auto const& frame : frames_) {
      pointer += '/';
      pointer += frame.is_object ? model::pointer_token(frame.key) : std::to_string(frame.items.size());
    }
    error = Error{Code::Invalid, fmt::format("{} at {}", reason, pointer), pointer};
    return false;
  }

  // The events tell which container the broken token stands in, the token before it where in there.
  std::string explain(Token const& broken) const {
    auto const found = broken.text.empty() ? std::string("the text ends") : fmt::format("unexpected {}", show_token(broken.text));
    return fmt::format("{}; expected {}", found, expected_after(broken.previous));
  }

  std::string_view expected_after(char previous) const {
    if (frames_.empty()) return previous == '\0' ? "a value" : "nothing more";
    bool const in_object = frames_.back().is_object;
    if (previous == '{') return "a key in double quotes, or '}'";
    if (previous == '[') return "a value, or ']'";
    if (previous == ':') return "a value";
    if (previous == ',') return in_object ? "a key in double quotes" : "a value";
    if (in_object && frames_.back().awaits_value) return "':'";
    return in_object ? "',' or '}'" : "',' or ']'";
  }

  static std::string explain_string(std::string_view token) {
    if (find_invalid_utf8(token) != std::string_view::npos) return "this string is not UTF-8";
    bool const has_control = std::ranges::any_of(token, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (has_control) return "a control character in this string, or its closing quote is missing; write it as \\n, \\t or \\u001f";
    if (token.find('\\') != std::string_view::npos) return "a wrong \\ sequence in this string, or its closing quote is missing";
    return "this string has no closing quote";
  }

  std::string_view text_;
  std::vector<Frame> frames_;
};

}  // namespace

Result<Value> parse_json(std::string_view text) {
  if (auto plain = parse_plain_json(text)) return *std::move(plain);
  Builder builder(text);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root);
  } catch (std::exception const& unexpected) {
    return fail(Code::Invalid, fmt::format("not valid JSON: {}", unexpected.what()));
  }
  return std::unexpected<Error>(std::move(builder.error));
}

}  // namespace davit::codec
