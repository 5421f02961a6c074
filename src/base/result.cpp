#include "base/result.hpp"

namespace davit {

std::string_view to_string(Code code) noexcept {
  switch (code) {
    case Code::Invalid: return "invalid";
    case Code::NotFound: return "not_found";
    case Code::Exists: return "exists";
    case Code::Stale: return "stale";
    case Code::Fenced: return "fenced";
    case Code::Unavailable: return "unavailable";
    case Code::Deadline: return "deadline";
    case Code::UnknownOutcome: return "unknown_outcome";
    case Code::Exhausted: return "exhausted";
    case Code::Full: return "full";
    case Code::Unsupported: return "unsupported";
    case Code::Internal: return "internal";
  }
  return "internal";
}

}  // namespace davit
