#include "adapters/engine_docker/log_frames.hpp"

#include <algorithm>
#include <utility>

namespace davit::engine_docker {
namespace {

constexpr std::size_t kStampLimit = 64;  // a time in RFC 3339 with nanoseconds and offset is at most 35 bytes

}  // namespace

Status LogSplitter::push(std::string_view bytes, std::vector<ports::LogLine>& out) {
  if (tty_) {
    take_payload(bytes, out);
    return {};
  }
  while (!bytes.empty()) {
    if (frame_left_ > 0) {
      auto const taken = std::min<std::size_t>(bytes.size(), frame_left_);
      take_payload(bytes.substr(0, taken), out);
      bytes.remove_prefix(taken);
      frame_left_ -= static_cast<std::uint32_t>(taken);
      continue;
    }
    header_[header_size_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (header_size_ == header_.size()) TRY_VOID(begin_frame());
  }
  return {};
}

Status LogSplitter::begin_frame() {
  header_size_ = 0;
  if (header_[0] > 2 || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
    return fail(Code::Internal, "the engine's log stream is broken: a frame with an unknown header");
  }
  stream_ = header_[0] == 2 ? ports::LogStream::Stderr : ports::LogStream::Stdout;
  frame_left_ =
      std::uint32_t{header_[4]} << 24 | std::uint32_t{header_[5]} << 16 | std::uint32_t{header_[6]} << 8 | std::uint32_t{header_[7]};
  in_stamp_ = true;
  stamp_.clear();
  return {};
}

void LogSplitter::take_payload(std::string_view bytes, std::vector<ports::LogLine>& out) {
  while (!bytes.empty()) {
    if (!in_stamp_) {
      auto const newline = bytes.find('\n');
      auto const taken = newline == std::string_view::npos ? bytes.size() : newline + 1;
      take_text(bytes.substr(0, taken), out);
      bytes.remove_prefix(taken);
      // Frames say where a time comes next; a TTY's stream has one at the start of each line.
      if (tty_ && newline != std::string_view::npos) in_stamp_ = true;
      continue;
    }
    char const next = bytes.front();
    bytes.remove_prefix(1);
    if (next != ' ' && next != '\n' && stamp_.size() < kStampLimit) {
      stamp_ += next;
      continue;
    }
    in_stamp_ = false;
    auto& partial = partials_[std::to_underlying(stream_)];
    bool const is_time = begin_line(partial);
    if (next != ' ' || !is_time) take_text(std::string_view(&next, 1), out);
  }
}

// A frame that continues a line leaves the line its first time.
bool LogSplitter::begin_line(Partial& partial) {
  auto const time = parse_rfc3339(stamp_);
  if (!partial.begun && time) partial.time = *time;
  partial.begun = true;
  if (!time) partial.text += stamp_;
  stamp_.clear();
  return time.has_value();
}

void LogSplitter::take_text(std::string_view text, std::vector<ports::LogLine>& out) {
  auto& partial = partials_[std::to_underlying(stream_)];
  partial.begun = true;
  while (!text.empty()) {
    if (text.front() == '\n') {
      emit(partial, out);
      text.remove_prefix(1);
      continue;
    }
    if (partial.text.size() >= kLineLimit) {
      auto const time = partial.time;
      emit(partial, out);
      partial = Partial{time, "", true};
    }
    auto const taken = std::min({text.size(), text.find('\n'), kLineLimit - partial.text.size()});
    partial.text += text.substr(0, taken);
    text.remove_prefix(taken);
  }
}

void LogSplitter::emit(Partial& partial, std::vector<ports::LogLine>& out) {
  if (tty_ && partial.text.ends_with('\r')) partial.text.pop_back();
  auto const stream = &partial == &partials_[1] ? ports::LogStream::Stderr : ports::LogStream::Stdout;
  out.push_back({partial.time, stream, std::exchange(partial.text, {})});
  partial.begun = false;
}

void LogSplitter::finish(std::vector<ports::LogLine>& out) {
  if (tty_ && in_stamp_ && !stamp_.empty()) begin_line(partials_[0]);
  for (auto& partial : partials_) {
    if (partial.begun && !partial.text.empty()) emit(partial, out);
  }
}

}  // namespace davit::engine_docker
