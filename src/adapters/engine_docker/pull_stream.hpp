// The progress stream of POST /images/create. Its status line says 200 also of a pull that fails later: the stream must be
// read to its end, and an object with errorDetail in it is the failure. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/engine_docker/lines.hpp"
#include "base/result.hpp"
#include "model/engine.hpp"

namespace davit::engine_docker {

class PullStream {
 public:
  void push(std::string_view bytes);
  // After the last byte: the digest, or why the pull failed.
  Result<model::Pulled> finish();

  // Summed over the layers heard of so far, so the total grows at first.
  std::int64_t done_bytes() const;
  std::int64_t total_bytes() const;
  std::string const& last_status() const { return last_status_; }

 private:
  struct Layer {
    std::int64_t done = 0;
    std::int64_t total = 0;
  };
  void on_line(std::string_view line);

  Lines lines_;
  std::map<std::string, Layer> layers_;
  std::string digest_;
  std::string last_status_;
  std::optional<Error> error_;
};

}  // namespace davit::engine_docker
