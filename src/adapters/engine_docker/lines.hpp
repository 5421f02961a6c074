// A stream of bytes cut at its newlines. The engine's event and pull streams have one JSON object per line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace davit::engine_docker {

class Lines {
 public:
  static constexpr std::size_t kLimit = 1024 * 1024;  // bytes; what is longer is dropped

  void push(std::string_view bytes) {
    buffer_.erase(0, taken_);
    taken_ = 0;
    buffer_ += bytes;
    if (buffer_.size() > kLimit && buffer_.find('\n') == std::string::npos) buffer_.clear();
  }
  // The next whole line, without its newline, until the next push(); empty lines are left out.
  std::optional<std::string_view> next() {
    while (true) {
      auto const end = buffer_.find('\n', taken_);
      if (end == std::string::npos) return std::nullopt;
      auto line = std::string_view(buffer_).substr(taken_, end - taken_);
      taken_ = end + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) return line;
    }
  }
  std::string_view rest() const { return std::string_view(buffer_).substr(taken_); }

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
};

}  // namespace davit::engine_docker
