// Messages of the links as bytes and back, by proto/davit/link.proto. What an older or newer minor version does not know is
// overlooked; what cannot be meant is Code::Invalid. Any thread, one at a time for each Wire.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/link.hpp"
#include "model/peer.hpp"
#include "ports/engine.hpp"

namespace davit::link_grpc {

// The first word of the side that was called.
struct Accepted {
  NodeId master;
  ClusterId cluster;  // zero: it does not know yet
  std::string name;
};

// The agent is to open a stream for them.
struct WantLogs {
  std::uint64_t id = 0;
  ports::LogQuery query;
};

using FromMaster = std::variant<Accepted, model::ToAgent, WantLogs>;
using FromPeer = std::variant<Accepted, model::PeerMessage>;

struct LogPiece {
  std::vector<ports::LogLine> lines;
  bool is_end = false;
  Status end;
};

// Specs are long and mostly alike: each Wire remembers those that it met last.
class Wire {
 public:
  std::string encode(Accepted const& message, bool is_to_peer);
  std::string encode(model::ToAgent const& message);
  std::string encode(WantLogs const& message);
  std::string encode(model::ToMaster const& message);
  std::string encode(model::PeerMessage const& message);
  Result<FromMaster> decode_from_master(std::string_view bytes);
  Result<model::ToMaster> decode_from_agent(std::string_view bytes);
  Result<FromPeer> decode_from_peer(std::string_view bytes);

  static std::string encode(LogPiece const& piece);
  static Result<LogPiece> decode_logs(std::string_view bytes);
  static std::string encode_flow(bool is_paused);
  static Result<bool> decode_flow(std::string_view bytes);

  Result<model::SpecRef> read(std::string const& spec);
  std::string const& write(model::SpecRef const& spec);

 private:
  std::map<std::string, model::SpecRef> read_;
  std::map<model::SpecRef, std::string> written_;
};

}  // namespace davit::link_grpc
