// Log entries as they go to the client: "web.2.n1    | text", or ndjson. Owned by the answer to one request; control thread.
#pragma once

#include <string>

#include "api/log_sources.hpp"

namespace davit::api {

class LogLines {
 public:
  LogLines(std::string service, bool as_ndjson) : service_(std::move(service)), as_ndjson_(as_ndjson) {}

  void widen_for(LogOrigin const& origin);  // so that the texts of all origins begin in one column
  std::string render(LogEntry const& entry) const;
  std::string note(std::string const& warning) const;  // a warning that is about no single container

 private:
  std::string service_;
  bool as_ndjson_;
  std::size_t width_ = 0;
};

}  // namespace davit::api
