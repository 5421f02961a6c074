// One two-way stream of gRPC, in bytes, for both of its ends; and the words that clients and servers share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"

namespace davit::rpc {

// gRPC's own names and numbers.
enum class StatusCode : std::uint8_t {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

struct Outcome {
  StatusCode code = StatusCode::Ok;
  std::string message;
  bool is_ok() const { return code == StatusCode::Ok; }
};

using Metadata = std::vector<std::pair<std::string, std::string>>;
using Task = std::function<void()>;

// Runs on gRPC's thread and may touch nothing but its argument and what it holds; gives what the control thread then runs.
using ConvertMessage = std::function<Task(std::string message)>;

// PEM texts. An empty `ca` stands for the system's; certificate and key may both be empty for a client.
struct Tls {
  std::string ca;
  std::string certificate;
  std::string key;
};

// A stream on which more than this waits is cut: its other side does not read.
inline constexpr std::size_t kMostUnsent = std::size_t{64} << 20;
// Once more than this has come and waits for the control thread, a stream is read no further until half of it is taken: what is to come
// waits at the side that sends.
inline constexpr std::size_t kMostUntaken = std::size_t{4} << 20;

// Destroying it ends the stream; nothing that belongs to it runs afterwards.
class Stream {
 public:
  virtual ~Stream() = default;
  // What cannot be handed to the connection by `valid_until` is dropped, and that is told: once for what is dropped together.
  virtual void send(std::string message, Monotonic valid_until = kNever) = 0;
  virtual void on_dropped(std::function<void()> tell) = 0;
  virtual std::size_t unsent() const = 0;  // bytes that wait
};

}  // namespace davit::rpc
