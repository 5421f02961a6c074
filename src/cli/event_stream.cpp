#include "cli/event_stream.hpp"

#include "runtime/deadline.hpp"

namespace davit::cli {
namespace {

constexpr Duration kSilence = 45s;  // the server sends a comment each 15 s
constexpr Duration kPause = 1s;     // before the connection is made again

// Until the stream ends, which it does not by itself: gives the reason.
boost::asio::awaitable<Error> async_read_events(Session* session, http::Stream stream, std::string* last_id,
                                                std::function<void(ServerEvent const&)> on_event) {
  EventReader reader;
  for (;;) {
    auto const bytes = co_await stream.async_read(session->now().monotonic + kSilence);
    if (!bytes) co_return bytes.error();
    if (bytes->empty()) co_return Error{Code::Unavailable, "the server ended the stream", {}};
    for (auto const& event : reader.feed(*bytes)) {
      *last_id = event.id;
      on_event(event);
    }
  }
}

}  // namespace

std::vector<ServerEvent> EventReader::feed(std::string_view bytes) {
  buffer_ += bytes;
  std::vector<ServerEvent> events;
  std::size_t start = 0;
  for (std::size_t end; (end = buffer_.find('\n', start)) != std::string::npos; start = end + 1) {
    std::string_view line(buffer_.data() + start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    on_line(line, events);
  }
  buffer_.erase(0, start);
  return events;
}

void EventReader::on_line(std::string_view line, std::vector<ServerEvent>& events) {
  if (line.empty()) {
    if (has_data_ || !type_.empty()) events.push_back({last_id_, type_.empty() ? "message" : type_, data_});
    type_.clear();
    data_.clear();
    has_data_ = false;
    return;
  }
  auto const colon = line.find(':');
  auto const field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "id") last_id_ = value;
  else if (field == "event") type_ = value;
  else if (field == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

boost::asio::awaitable<Status> async_follow_events(Session* session, std::string target, std::function<void(ServerEvent const&)> on_event,
                                                   std::function<void(Error const&)> on_gap) {
  std::string last_id;
  for (bool was_open = false;;) {
    http::Headers headers{{"Accept", "text/event-stream"}};
    if (!last_id.empty()) headers.set("Last-Event-ID", last_id);
    auto stream = co_await session->async_open(target, std::move(headers));
    if (stream) {
      was_open = true;
      on_gap(co_await async_read_events(session, *std::move(stream), &last_id, on_event));
    } else {
      // A server that never answered is an error; one that did will be back.
      bool const is_refused = !stream.error().field.empty() && stream.error().code != Code::Unavailable;
      if (!was_open || is_refused) co_return std::unexpected<Error>(stream.error());
      on_gap(stream.error());
    }
    co_await runtime::async_sleep_until(session->loop(), session->now().monotonic + kPause);
  }
}

}  // namespace davit::cli
