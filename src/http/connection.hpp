// One client of the server: reads requests, has them answered, writes the answers, until one side has had enough.
// Internal to http/. Kept alive by its coroutine in the server's gate; control thread.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "http/format.hpp"
#include "http/parser.hpp"
#include "http/read_buffer.hpp"
#include "http/server.hpp"
#include "runtime/deadline.hpp"
#include "runtime/wakeup.hpp"

namespace davit::http {

using Socket = boost::asio::generic::stream_protocol::socket;

class Connection;

// What the connections of one server share.
struct ConnectionHost {
  ConnectionHost(runtime::AsioLoop& its_loop, ServerOptions its_options) : loop(its_loop), options(std::move(its_options)) {}

  Response protocol_error(int status, std::string detail) const;
  std::string const& date();  // written anew once a second

  runtime::AsioLoop& loop;
  ServerOptions options;
  std::list<Connection*> all;
  std::list<Connection*> waiting;  // for a request, the one that has waited longest first
  std::function<void()> on_left;   // a connection has gone
  bool stopping = false;

 private:
  std::string date_;
  std::int64_t date_second_ = -1;
};

//   Waiting ─first byte→ Header ─blank line→ Body ─last byte→ Answering ─answered→ Waiting
//   Answering ─async_begin→ Streaming ─async_end→ Waiting;  any refusal → Draining;  every phase → Closed
class Connection final : public ResponseWriter, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionHost& host, Socket socket, std::string remote, Transport transport);
  ~Connection() override;

  // The connection's whole life; to be spawned once.
  static boost::asio::awaitable<void> async_run(std::shared_ptr<Connection> self);

  void check_deadline(Monotonic now);
  void on_stop();  // ends it unless an answer is under way
  void cut();      // ends it at once

  boost::asio::awaitable<Status> async_send(Response response) override;
  boost::asio::awaitable<Status> async_begin(int status, Headers headers) override;
  boost::asio::awaitable<Status> async_write(std::string chunk) override;
  boost::asio::awaitable<Status> async_end() override;
  bool is_open() const override { return phase_ == Phase::Answering || phase_ == Phase::Streaming; }

 private:
  enum class Phase : std::uint8_t { Waiting, Header, Body, Answering, Streaming, Draining, Closed };
  using Pieces = std::array<boost::asio::const_buffer, 3>;

  void set_phase(Phase phase, Duration limit = Duration::zero());  // zero: no deadline
  boost::asio::awaitable<void> async_serve();
  boost::asio::awaitable<bool> async_read_request();  // false: no more requests
  boost::asio::awaitable<bool> async_fill();          // false: the client has gone, or the deadline has passed
  boost::asio::awaitable<void> async_answer();
  boost::asio::awaitable<bool> async_run_handler(Request request);  // false: it threw
  boost::asio::awaitable<void> async_refuse(int status, std::string detail);
  boost::asio::awaitable<void> async_drain();
  boost::asio::awaitable<bool> async_write_all(Pieces pieces);
  std::unexpected<Error> gone() const;
  std::optional<Response> try_fast_handler(Request const& request) const;
  void watch_peer();
  void on_watched(bool is_gone, std::size_t count);
  void leave();

  ConnectionHost& host_;
  Socket socket_;
  std::string remote_;
  Transport transport_;
  ReadBuffer buffer_;
  RequestParser parser_;
  std::string head_;  // reused for every answer
  runtime::CancelScope scope_;
  std::unique_ptr<runtime::Wakeup> watched_;  // made by the first stream
  std::list<Connection*>::iterator place_;
  std::list<Connection*>::iterator waiting_place_;
  Monotonic deadline_ = kNever;
  Phase phase_ = Phase::Closed;
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool to_head_ = false;
  bool chunked_ = false;
  bool answered_ = false;  // an answer has begun
  bool timed_out_ = false;
  bool watching_ = false;  // a read waits for the client to leave
  bool peer_closed_ = false;
  bool left_ = false;  // from here on the host may be gone
};

}  // namespace davit::http
