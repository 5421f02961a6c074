// Server-sent events: the pure reader of the format, and the coroutine that follows the server's /events for ever.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "cli/session.hpp"

namespace davit::cli {

struct ServerEvent {
  std::string id;    // the last one that came, of this event or an earlier one
  std::string type;  // "message" where the stream names none
  std::string data;  // lines joined by '\n'
  friend bool operator==(ServerEvent const&, ServerEvent const&) = default;
};

// Bytes in, whole events out (https://html.spec.whatwg.org/multipage/server-sent-events.html, "parsing").
class EventReader {
 public:
  std::vector<ServerEvent> feed(std::string_view bytes);

 private:
  void on_line(std::string_view line, std::vector<ServerEvent>& events);

  std::string buffer_;
  std::string last_id_;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
};

// Calls on_event for each, and on_gap when the connection was lost: it is then made again, from the last id. Ends only when the
// server cannot be reached at first, or refuses.
boost::asio::awaitable<Status> async_follow_events(Session* session, std::string target, std::function<void(ServerEvent const&)> on_event,
                                                   std::function<void(Error const&)> on_gap);

}  // namespace davit::cli
