#include "adapters/link_grpc/master_link.hpp"

#include <utility>

namespace davit::link_grpc {
namespace {

constexpr std::size_t kMuch = std::size_t{256} << 10;  // of a log that waits to be sent
constexpr std::size_t kLittle = std::size_t{64} << 10;
constexpr Duration kLook = std::chrono::milliseconds(20);

}  // namespace

// One log on its way to the master that asked. The engine is read only as fast as the stream carries it.
class MasterLink::LogSender {
 public:
  LogSender(ports::Loop& loop, std::unique_ptr<rpc::Stream> stream) : stream_(std::move(stream)), timer_(loop.make_timer()), loop_(loop) {}

  void read(ports::Engine& engine, ports::LogQuery query) {
    reader_ = engine.read_logs(
        std::move(query), [this](ports::LogLine line) { send(std::move(line)); }, [this](Status status) { end(std::move(status)); });
    if (is_paused()) reader_->pause();
  }
  void hold(bool is_held) {
    is_held_ = is_held;
    set_pace();
  }

 private:
  bool is_paused() const { return is_held_ || is_behind_; }

  void send(ports::LogLine line) {
    LogPiece piece;
    piece.lines.push_back(std::move(line));
    stream_->send(Wire::encode(piece));
    if (stream_->unsent() > kMuch && !std::exchange(is_behind_, true)) {
      set_pace();
      look();
    }
  }
  void end(Status status) {
    LogPiece piece;
    piece.is_end = true;
    piece.end = std::move(status);
    stream_->send(Wire::encode(piece));
  }
  void look() {
    if (stream_->unsent() > kLittle) return timer_->set(loop_.now().monotonic + kLook, [this] { look(); });
    is_behind_ = false;
    set_pace();
  }
  void set_pace() {
    if (!reader_ || is_paused() == std::exchange(was_paused_, is_paused())) return;
    if (is_paused()) reader_->pause();
    else reader_->resume();
  }

  std::unique_ptr<rpc::Stream> stream_;
  std::unique_ptr<ports::Timer> timer_;
  ports::Loop& loop_;
  bool is_held_ = false;    // by the master
  bool is_behind_ = false;
  bool was_paused_ = false;
  std::unique_ptr<ports::LogReader> reader_;  // last: it ends first
};

MasterLink::MasterLink(ports::Loop& loop, ports::Engine& engine, Options options)
    : loop_(loop),
      engine_(engine),
      options_(std::move(options)),
      client_(loop),
      dialler_(loop, client_, std::string(kAgentMethod), options_.tls, &Wire::decode_from_master,
               [this] { return metadata_of(options_.caller()); },
               {.on_joined = [this](Accepted const& accepted) { handlers_.on_joined(accepted.master); },
                .on_message = [this](NodeId master, FromMaster message) { on_message(master, std::move(message)); },
                .on_left = [this](NodeId master) { handlers_.on_left(master); },
                .on_refused = [this](std::string text) { options_.on_refused(std::move(text)); }}) {}

MasterLink::~MasterLink() = default;

void MasterLink::send(NodeId master, model::ToMaster message) {
  if (auto* stream = dialler_.find(master)) stream->send(wire_.encode(message));
}

void MasterLink::keep_connected(std::vector<model::MasterAddress> masters) {
  std::vector<std::string> addresses;
  for (auto& each : masters) addresses.push_back(std::move(each.address));
  if (options_.on_told) options_.on_told(addresses);
  connect(std::move(addresses));
}

void MasterLink::start() { connect(options_.remembered); }

void MasterLink::connect(std::vector<std::string> others) {
  others.insert(others.end(), options_.join.begin(), options_.join.end());
  dialler_.keep_connected(others);
}

void MasterLink::on_message(NodeId master, FromMaster message) {
  if (auto* to_agent = std::get_if<model::ToAgent>(&message)) handlers_.on_message(master, std::move(*to_agent));
  else if (auto const* wanted = std::get_if<WantLogs>(&message)) send_logs(master, *wanted);
}

void MasterLink::send_logs(NodeId master, WantLogs const& wanted) {
  auto const connection = dialler_.connection(master);
  if (!connection) return;
  auto const id = next_sender_++;
  auto metadata = metadata_of(options_.caller());
  metadata.emplace_back("davit-logs", std::to_string(wanted.id));
  auto convert = [this, id](std::string bytes) -> rpc::Task {
    return [this, id, is_held = Wire::decode_flow(bytes).value_or(false)] {
      if (auto const sender = senders_.find(id); sender != senders_.end()) sender->second->hold(is_held);
    };
  };
  auto stream = client_.open(*connection, std::string(kLogsMethod), metadata, std::move(convert),
                             [this, id](rpc::Outcome const&) { senders_.erase(id); });
  auto& sender = senders_[id] = std::make_unique<LogSender>(loop_, std::move(stream));
  sender->read(engine_, wanted.query);
}

}  // namespace davit::link_grpc
