// From the bytes of GET /containers/{id}/logs?timestamps=1 to lines. Pure; one splitter per stream.
//
// Without a TTY the bytes are frames, [stream 1|2][0,0,0][length, big endian][payload]; the engine cuts long lines over several
// frames, each of which starts with a time again; only a newline ends a line. With a TTY the bytes come as they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "ports/engine.hpp"

namespace davit::engine_docker {

class LogSplitter {
 public:
  static constexpr std::size_t kLineLimit = 64 * 1024;  // bytes; a longer line is given out in pieces of this size

  explicit LogSplitter(bool tty) : tty_(tty) {}

  // Appends the lines that these bytes complete. Code::Internal: this is no log stream; the rest is lost.
  Status push(std::string_view bytes, std::vector<ports::LogLine>& out);
  // The last line may lack its newline.
  void finish(std::vector<ports::LogLine>& out);

 private:
  struct Partial {
    Wall time{};
    std::string text;
    bool begun = false;
  };

  Status begin_frame();
  void take_payload(std::string_view bytes, std::vector<ports::LogLine>& out);
  void take_text(std::string_view text, std::vector<ports::LogLine>& out);
  bool begin_line(Partial& partial);  // false: what should have been a time is text
  void emit(Partial& partial, std::vector<ports::LogLine>& out);

  bool tty_;
  std::array<unsigned char, 8> header_{};
  std::size_t header_size_ = 0;
  std::uint32_t frame_left_ = 0;
  ports::LogStream stream_ = ports::LogStream::Stdout;
  bool in_stamp_ = true;  // a time and a blank come first
  std::string stamp_;
  std::array<Partial, 2> partials_;  // by LogStream
};

}  // namespace davit::engine_docker
