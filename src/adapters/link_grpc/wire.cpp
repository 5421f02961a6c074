#include "adapters/link_grpc/wire.hpp"

#include <fmt/core.h>

#include "adapters/link_grpc/wire_values.hpp"
#include "codec/json.hpp"
#include "codec/spec.hpp"

namespace davit::link_grpc {
namespace {

constexpr std::size_t kSpecsKept = 128;

template <class Message>
Result<Message> parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return fail(Code::Invalid, "a message that cannot be read");
  return message;
}

std::unexpected<Error> unknown() { return fail(Code::Unsupported, "a message of a newer davit"); }

}  // namespace

std::string const& Wire::write(model::SpecRef const& spec) {
  if (auto const known = written_.find(spec); known != written_.end()) return known->second;
  if (written_.size() >= kSpecsKept) written_.clear();
  return written_.emplace(spec, codec::dump(codec::write_spec(*spec))).first->second;
}

Result<model::SpecRef> Wire::read(std::string const& spec) {
  if (auto const known = read_.find(spec); known != read_.end()) return known->second;
  TRY(auto const value, codec::parse_json(spec));
  auto read = codec::read_spec(value);
  if (!read.problems.empty()) {
    return fail(Code::Unsupported, fmt::format("a spec of a newer davit: {}: {}", read.problems[0].pointer, read.problems[0].detail));
  }
  if (read_.size() >= kSpecsKept) read_.clear();
  return read_.emplace(spec, std::make_shared<model::ServiceSpec const>(std::move(read.spec))).first->second;
}

// ---- master and agent

std::string Wire::encode(Accepted const& message, bool is_to_peer) {
  if (!is_to_peer) {
    wire::ToAgent out;
    put(message, *out.mutable_accepted());
    return out.SerializeAsString();
  }
  wire::PeerMessage out;
  put(message, *out.mutable_accepted());
  return out.SerializeAsString();
}

std::string Wire::encode(model::ToAgent const& message) {
  wire::ToAgent out;
  put(*this, message, out);
  return out.SerializeAsString();
}

std::string Wire::encode(WantLogs const& message) {
  wire::ToAgent out;
  put(message, *out.mutable_want_logs());
  return out.SerializeAsString();
}

std::string Wire::encode(model::ToMaster const& message) {
  wire::ToMaster out;
  put(message, out);
  return out.SerializeAsString();
}

std::string Wire::encode(model::PeerMessage const& message) {
  wire::PeerMessage out;
  put(*this, message, out);
  return out.SerializeAsString();
}

Result<FromMaster> Wire::decode_from_master(std::string_view bytes) {
  TRY(auto const message, parse<wire::ToAgent>(bytes));
  if (message.has_accepted()) return FromMaster(get(message.accepted()));
  if (message.has_want_logs()) return FromMaster(get(message.want_logs()));
  TRY(auto to_agent, get(*this, message));
  if (!to_agent) return unknown();
  return FromMaster(*std::move(to_agent));
}

Result<model::ToMaster> Wire::decode_from_agent(std::string_view bytes) {
  TRY(auto const message, parse<wire::ToMaster>(bytes));
  TRY(auto to_master, get(message));
  if (!to_master) return unknown();
  return *std::move(to_master);
}

Result<FromPeer> Wire::decode_from_peer(std::string_view bytes) {
  TRY(auto const message, parse<wire::PeerMessage>(bytes));
  if (message.has_accepted()) return FromPeer(get(message.accepted()));
  TRY(auto peer, get(*this, message));
  if (!peer) return unknown();
  return FromPeer(*std::move(peer));
}

// ---- logs

std::string Wire::encode(LogPiece const& piece) {
  wire::LogPiece out;
  for (auto const& line : piece.lines) {
    auto& to = *out.add_lines();
    to.set_time_ms(line.time.time_since_epoch().count());
    to.set_is_stderr(line.stream == ports::LogStream::Stderr);
    to.set_text(line.text);
  }
  out.set_is_end(piece.is_end);
  if (piece.is_end && !piece.end) put(piece.end.error(), *out.mutable_failure());
  return out.SerializeAsString();
}

Result<LogPiece> Wire::decode_logs(std::string_view bytes) {
  TRY(auto const message, parse<wire::LogPiece>(bytes));
  LogPiece piece{.is_end = message.is_end()};
  for (auto const& line : message.lines()) {
    piece.lines.push_back({.time = Wall(std::chrono::milliseconds(line.time_ms())),
                           .stream = line.is_stderr() ? ports::LogStream::Stderr : ports::LogStream::Stdout,
                           .text = line.text()});
  }
  if (message.has_failure()) piece.end = std::unexpected(get(message.failure()));
  return piece;
}

std::string Wire::encode_flow(bool is_paused) {
  wire::LogFlow out;
  out.set_is_paused(is_paused);
  return out.SerializeAsString();
}

Result<bool> Wire::decode_flow(std::string_view bytes) {
  TRY(auto const message, parse<wire::LogFlow>(bytes));
  return message.is_paused();
}

}  // namespace davit::link_grpc
