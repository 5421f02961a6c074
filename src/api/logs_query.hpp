// What ?follow&tail&since&stream&slot&previous and Accept ask of the logs route. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "base/time.hpp"
#include "http/message.hpp"
#include "ports/engine.hpp"

namespace davit::api {

struct LogsQuery {
  ports::LogQuery what;
  std::optional<std::uint32_t> slot;
  bool previous = false;  // the containers before the present ones; never with follow
  bool as_ndjson = false;
};

// A refusal's field is the parameter, as in "?since".
Result<LogsQuery> read_logs_query(http::Request const& request, Wall now);

}  // namespace davit::api
