// Result<T>: the one way in which a Davit function says that it failed.
// An Error carries a Code that some caller reacts to, a message for people, and the field it is about (a JSON pointer
// such as "#/image", or empty). Exceptions stop at the adapter that met them; broken invariants are CHECKs.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace davit {

enum class Code : std::uint8_t {
  Invalid,         // the request is wrong; asking again in the same way is useless
  NotFound,
  Exists,
  Stale,           // a compare failed: the caller's idea of the state is old
  Fenced,          // a newer epoch acts for this shard
  Unavailable,     // the other side is away; trying again may help
  Deadline,        // no answer in time, and nothing was done
  UnknownOutcome,  // no answer in time, and it may have been done
  Exhausted,       // a limit of ours (queue, range of ports) is reached
  Full,            // no space left for durable state
  Unsupported,
  Internal,
};

std::string_view to_string(Code code) noexcept;

struct Error {
  Code code = Code::Internal;
  std::string message;
  std::string field;

  friend bool operator==(Error const&, Error const&) = default;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message, std::string field = {}) {
  return std::unexpected<Error>(Error{code, std::move(message), std::move(field)});
}

}  // namespace davit

#define DAVIT_CONCAT_(a, b) a##b
#define DAVIT_CONCAT(a, b) DAVIT_CONCAT_(a, b)

// TRY(auto x, f()): x is the value of f(), or the enclosing function returns its error.
#define TRY(declaration, ...) DAVIT_TRY_(DAVIT_CONCAT(try_, __LINE__), declaration, __VA_ARGS__)
#define DAVIT_TRY_(name, declaration, ...)                         \
  auto name = (__VA_ARGS__);                                       \
  if (!name) return std::unexpected<::davit::Error>(name.error()); \
  declaration = *std::move(name)

// TRY_VOID(f()): the same where there is no value.
#define TRY_VOID(...)                                                      \
  if (auto try_status = (__VA_ARGS__); !try_status) {                      \
    return std::unexpected<::davit::Error>(std::move(try_status).error()); \
  }
