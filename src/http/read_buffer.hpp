// The bytes that a connection has received and not yet parsed, in one piece, as parsing a header needs them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace davit::http {

class ReadBuffer {
 public:
  ReadBuffer(std::size_t initial, std::size_t limit) : bytes_(initial), limit_(std::max(initial, limit)) {}

  std::string_view view() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t count) { begin_ += count; }

  // Room to receive into, followed by commit(); empty when `limit` unparsed bytes are here.
  std::span<char> prepare() {
    if (begin_ > 0) {
      std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_), bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == bytes_.size() && end_ < limit_) bytes_.resize(std::min(limit_, bytes_.size() * 2));
    return {bytes_.data() + end_, bytes_.size() - end_};
  }
  void commit(std::size_t count) { end_ += count; }

 private:
  std::vector<char> bytes_;
  std::size_t limit_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace davit::http
