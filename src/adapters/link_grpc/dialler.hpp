// The end that opens streams: one to each master it knows of, opened again when it breaks. `In` is what comes on them, with
// Accepted for the first word (wire.hpp). Owned by a link; control thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "adapters/link_grpc/wire.hpp"
#include "ports/loop.hpp"
#include "rpc/client.hpp"

namespace davit::link_grpc {

template <class In>
class Dialler {
 public:
  struct Handlers {
    std::function<void(Accepted const&)> on_joined;
    std::function<void(NodeId, In)> on_message;
    std::function<void(NodeId)> on_left;
    std::function<void(NodeId)> on_dropped = [](NodeId) {};
    std::function<void(std::string)> on_refused;  // once for each new reason
  };
  using Decode = Result<In> (Wire::*)(std::string_view);

  Dialler(ports::Loop& loop, rpc::Client& client, std::string method, std::optional<rpc::Tls> tls, Decode decode,
          std::function<rpc::Metadata()> metadata, Handlers handlers)
      : loop_(loop),
        client_(client),
        method_(std::move(method)),
        tls_(std::move(tls)),
        decode_(decode),
        metadata_(std::move(metadata)),
        handlers_(std::move(handlers)) {}
  Dialler(Dialler const&) = delete;
  Dialler& operator=(Dialler const&) = delete;
  ~Dialler() {
    for (auto& [address, line] : lines_) line->stream.reset(), client_.disconnect(line->connection);
  }

  // To these and no others.
  void keep_connected(std::vector<std::string> const& addresses) {
    for (auto const& address : addresses) {
      if (!address.empty() && !lines_.contains(address)) dial(address);
    }
    std::vector<std::string> gone;
    for (auto const& [address, line] : lines_) {
      if (std::ranges::find(addresses, address) == addresses.end()) gone.push_back(address);
    }
    for (auto const& address : gone) hang_up(address);
  }

  // Null: not connected.
  rpc::Stream* find(NodeId master) const {
    auto const address = by_master_.find(master);
    return address == by_master_.end() ? nullptr : lines_.at(address->second)->stream.get();
  }
  std::optional<rpc::Client::ConnectionId> connection(NodeId master) const {
    auto const address = by_master_.find(master);
    return address == by_master_.end() ? std::nullopt : std::optional(lines_.at(address->second)->connection);
  }

 private:
  static constexpr Duration kRetry = std::chrono::milliseconds(500);
  static constexpr Duration kRetryRefused = std::chrono::seconds(2);
  static constexpr Duration kPatience = std::chrono::seconds(5);

  struct Line {
    rpc::Client::ConnectionId connection = 0;
    std::unique_ptr<rpc::Stream> stream;
    std::unique_ptr<ports::Timer> retry;
    std::unique_ptr<ports::Timer> patience;  // until it is told that nobody answers
    NodeId master;  // once accepted
    bool is_there = false;
    std::string refusal;  // the last
  };

  void dial(std::string const& address) {
    auto& line = *(lines_[address] = std::make_unique<Line>());
    line.retry = loop_.make_timer();
    line.patience = loop_.make_timer();
    expect_answer(address);
    line.connection = client_.connect(address, tls_, [this, address](bool is_there) {
      lines_.at(address)->is_there = is_there;
      if (is_there) open(address);
    });
  }

  void open(std::string const& address) {
    auto& line = *lines_.at(address);
    if (line.stream || !line.is_there) return;
    // The wire is gRPC's thread's alone.
    auto convert = [this, address, wire = std::make_shared<Wire>(), decode = decode_](std::string bytes) -> rpc::Task {
      return [this, address, message = std::make_shared<Result<In>>(((*wire).*decode)(bytes))] { take(address, std::move(*message)); };
    };
    line.stream = client_.open(line.connection, method_, metadata_(), std::move(convert),
                               [this, address](rpc::Outcome const& outcome) { on_end(address, outcome); });
    line.stream->on_dropped([this, address] {
      if (auto const& said = *lines_.at(address); said.master) handlers_.on_dropped(said.master);
    });
  }

  void take(std::string const& address, Result<In> message) {
    auto& line = *lines_.at(address);
    if (!message) return refused(line, fmt::format("{}: {}", address, message.error().message));
    if (auto const* accepted = std::get_if<Accepted>(&*message)) return join(address, *accepted);
    if (line.master) handlers_.on_message(line.master, *std::move(message));
  }

  // Two addresses may lead to one master.
  void join(std::string const& address, Accepted const& accepted) {
    auto& line = *lines_.at(address);
    line.patience->cancel();
    if (by_master_.contains(accepted.master)) {
      line.stream.reset();
      return retry(address, kRetryRefused);
    }
    line.master = accepted.master;
    line.refusal.clear();
    by_master_[accepted.master] = address;
    handlers_.on_joined(accepted);
  }

  void on_end(std::string const& address, rpc::Outcome const& outcome) {
    auto& line = *lines_.at(address);
    line.stream.reset();
    bool const was_joined = leave(line);
    if (was_joined) expect_answer(address);
    bool const is_refusal = !was_joined && outcome.code != rpc::StatusCode::Unavailable && outcome.code != rpc::StatusCode::Cancelled;
    if (is_refusal && !outcome.message.empty()) refused(line, fmt::format("{} refuses: {}", address, outcome.message));
    retry(address, is_refusal ? kRetryRefused : kRetry);
  }

  bool leave(Line& line) {
    auto const master = std::exchange(line.master, NodeId{});
    if (!master) return false;
    by_master_.erase(master);
    handlers_.on_left(master);
    return true;
  }

  void retry(std::string const& address, Duration delay) {
    lines_.at(address)->retry->set(loop_.now().monotonic + delay, [this, address] { open(address); });
  }

  void expect_answer(std::string const& address) {
    auto& line = *lines_.at(address);
    line.patience->set(loop_.now().monotonic + kPatience, [this, address] {
      auto& silent = *lines_.at(address);
      if (!silent.stream || silent.refusal.empty()) refused(silent, fmt::format("no master answers at {}; trying on", address));
    });
  }

  void refused(Line& line, std::string text) {
    if (std::exchange(line.refusal, text) != text) handlers_.on_refused(std::move(text));
  }

  void hang_up(std::string const& address) {
    auto const line = std::move(lines_.at(address));
    lines_.erase(address);
    line->stream.reset();
    client_.disconnect(line->connection);
    leave(*line);
  }

  ports::Loop& loop_;
  rpc::Client& client_;
  std::string method_;
  std::optional<rpc::Tls> tls_;
  Decode decode_;
  std::function<rpc::Metadata()> metadata_;
  Handlers handlers_;
  std::map<std::string, std::unique_ptr<Line>> lines_;  // by address
  std::map<NodeId, std::string> by_master_;
};

}  // namespace davit::link_grpc
