#include "adapters/link_grpc/agent_link.hpp"

#include <charconv>
#include <utility>

#include <fmt/core.h>

namespace davit::link_grpc {
namespace {

constexpr std::string_view kLost = "the connection to the node was lost";
constexpr Duration kLogsLimit = std::chrono::seconds(5);  // for the agent to open the stream

}  // namespace

// Destroyed by its user at any time, also from its own handlers.
class AgentLink::Reader final : public ports::LogReader {
 public:
  Reader(AgentLink& link, std::uint64_t id, std::function<void(ports::LogLine)> on_line, std::function<void(Status)> on_end)
      : link_(link),
        id_(id),
        on_line_(std::move(on_line)),
        on_end_(std::move(on_end)),
        timer_(link.loop_.make_timer()) {}
  ~Reader() override { link_.readings_.erase(id_); }

  void end_at(Monotonic at, Error error) {
    timer_->set(at, [this, error = std::move(error)] { end(std::unexpected(error)); });
  }
  void open(std::unique_ptr<rpc::Stream> stream) {
    timer_->cancel();
    stream_ = std::move(stream);
    if (is_paused_) stream_->send(Wire::encode_flow(true));
  }
  bool is_open() const { return stream_ != nullptr; }
  void pause() override { set_paused(true); }
  void resume() override { set_paused(false); }

  void take(LogPiece piece) {
    auto const is_there = is_there_;
    for (auto& line : piece.lines) {
      on_line_(std::move(line));
      if (!*is_there) return;
    }
    if (piece.is_end) end(std::move(piece.end));
  }
  void end(Status status) {
    if (std::exchange(has_ended_, true)) return;
    link_.readings_.erase(id_);  // a stream that comes too late finds nobody
    stream_.reset();
    on_end_(std::move(status));
  }

 private:
  struct Presence {
    std::shared_ptr<bool> flag = std::make_shared<bool>(true);
    Presence() = default;
    Presence(Presence const&) = delete;
    Presence& operator=(Presence const&) = delete;
    ~Presence() { *flag = false; }
    operator std::shared_ptr<bool>() const { return flag; }
  };

  void set_paused(bool is_paused) {
    if (std::exchange(is_paused_, is_paused) != is_paused && stream_) stream_->send(Wire::encode_flow(is_paused));
  }

  AgentLink& link_;
  std::uint64_t id_;
  std::function<void(ports::LogLine)> on_line_;
  std::function<void(Status)> on_end_;
  std::unique_ptr<ports::Timer> timer_;
  std::unique_ptr<rpc::Stream> stream_;
  bool is_paused_ = false;
  bool has_ended_ = false;
  Presence presence_;
  std::shared_ptr<bool> is_there_ = presence_;
};

void AgentLink::send(NodeId node, model::ToAgent message, Monotonic valid_until) {
  if (auto const found = agents_.find(node); found != agents_.end()) found->second.stream->send(wire_.encode(message), valid_until);
}

void AgentLink::take(Caller const& caller, rpc::Incoming& incoming) {
  auto const serial = next_serial_++;
  auto convert = [this, node = caller.id, serial, wire = std::make_shared<Wire>()](std::string bytes) -> rpc::Task {
    return [this, node, serial, message = std::make_shared<Result<model::ToMaster>>(wire->decode_from_agent(bytes))] {
      on_message(node, serial, std::move(*message));
    };
  };
  auto stream = incoming.accept(std::move(convert), [this, node = caller.id, serial](rpc::Outcome const&) { on_end(node, serial); });
  if (auto const old = agents_.find(caller.id); old != agents_.end()) on_end(caller.id, old->second.serial);
  stream->on_dropped([this, node = caller.id, serial] {
    auto const found = agents_.find(node);
    if (found != agents_.end() && found->second.serial == serial) handlers_.on_dropped(node);
  });
  stream->send(wire_.encode(self_(), false));
  agents_[caller.id] = {caller, serial, std::move(stream), loop_.now().monotonic};
  handlers_.on_joined(caller.id);
}

void AgentLink::tell_cluster(Caller const& caller, rpc::Incoming& incoming) {
  if (agents_.contains(caller.id)) return incoming.refuse({rpc::StatusCode::AlreadyExists, "that node is connected"});
  auto const self = self_();
  if (!self.cluster) return incoming.refuse({rpc::StatusCode::Unavailable, "this master has not read the store yet"});
  auto const serial = next_serial_++;
  auto stream = incoming.accept([](std::string const&) -> rpc::Task { return [] {}; },
                                [this, serial](rpc::Outcome const&) { askers_.erase(serial); });
  stream->send(wire_.encode(self, false));
  askers_[serial] = std::move(stream);
}

void AgentLink::on_message(NodeId node, std::uint64_t serial, Result<model::ToMaster> message) {
  auto const found = agents_.find(node);
  if (found == agents_.end() || found->second.serial != serial) return;
  found->second.heard_at = loop_.now().monotonic;
  if (message) return handlers_.on_message(node, *std::move(message));
  if (!std::exchange(found->second.is_garbled, true)) {
    on_garbled_(fmt::format("node {} says what cannot be read: {}", found->second.caller.name, message.error().message));
  }
}

void AgentLink::on_end(NodeId node, std::uint64_t serial) {
  auto const found = agents_.find(node);
  if (found == agents_.end() || found->second.serial != serial) return;
  auto const gone = agents_.extract(found);
  handlers_.on_left(node);
  std::vector<std::uint64_t> unopened;
  for (auto const& [id, reading] : readings_) {
    if (reading.node == node && !reading.reader->is_open()) unopened.push_back(id);
  }
  for (auto const id : unopened) {
    if (auto const reading = readings_.find(id); reading != readings_.end())
      reading->second.reader->end(fail(Code::Unavailable, std::string(kLost)));
  }
}

std::optional<AgentLink::Present> AgentLink::find(NodeId node) const {
  auto const found = agents_.find(node);
  if (found == agents_.end()) return std::nullopt;
  return Present{found->second.caller, loop_.now().monotonic - found->second.heard_at};
}

// ---- logs

std::unique_ptr<ports::LogReader> AgentLink::read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                                  std::function<void(Status)> on_end) {
  auto const id = next_reading_++;
  auto reader = std::make_unique<Reader>(*this, id, std::move(on_line), std::move(on_end));
  readings_[id] = {node, reader.get()};
  auto const now = loop_.now().monotonic;
  if (auto const found = agents_.find(node); found != agents_.end()) {
    found->second.stream->send(wire_.encode(WantLogs{id, std::move(query)}));
    reader->end_at(now + kLogsLimit, {Code::Deadline, "the node does not send its log", {}});
  } else {
    reader->end_at(now, {Code::Unavailable, "the node is not connected to this master", {}});
  }
  return reader;
}

void AgentLink::take_logs(Caller const& caller, rpc::Incoming& incoming) {
  auto const text = incoming.metadata("davit-logs");
  std::uint64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id);
  auto const reading = readings_.find(id);
  if (reading == readings_.end() || reading->second.node != caller.id) {
    return incoming.refuse({rpc::StatusCode::NotFound, "nobody reads this log any more"});
  }
  auto const with_reader = [this, id](auto const& function) {
    if (auto const found = readings_.find(id); found != readings_.end()) function(*found->second.reader);
  };
  auto convert = [with_reader](std::string bytes) -> rpc::Task {
    return [with_reader, piece = std::make_shared<Result<LogPiece>>(Wire::decode_logs(bytes))] {
      if (*piece) with_reader([&](Reader& reader) { reader.take(**std::move(piece)); });
    };
  };
  auto stream = incoming.accept(std::move(convert), [with_reader](rpc::Outcome const&) {
    with_reader([](Reader& reader) { reader.end(fail(Code::Unavailable, std::string(kLost))); });
  });
  reading->second.reader->open(std::move(stream));
}

}  // namespace davit::link_grpc
