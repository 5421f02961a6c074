// One run of a client command: which server to ask, and the calls to it. Blocks the thread, as one-shot clients may; the
// loop inside also carries what goes on beside (an event stream that is followed). Owned by client_main (cli.cpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/exit_codes.hpp"
#include "cli/problem_text.hpp"
#include "codec/value.hpp"
#include "http/client.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::cli {

// --host, --token-file, --output: of every command that calls a server.
std::vector<Option> const& server_options();

// Where to look for a server: --host or DAVIT_HOST, each a list "a,b"; else this user's socket, then 127.0.0.1:4820.
Result<std::vector<http::Endpoint>> endpoints_of(Invocation const& invocation);

struct Call {
  std::string method = "GET";
  std::string target;
  codec::Value body;     // null: none
  std::string if_match;  // an ETag; empty: no condition
  PlaceName place_name;  // how problems name the places they point to; unset: as JSON pointers
};

struct Answer {
  int status = 0;
  http::Headers headers;
  codec::Value body;
  std::string etag() const { return std::string(headers.get("ETag")); }
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> open(Invocation const& invocation);
  ~Session();
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;

  // The answer to a request that succeeded. What the server refuses is an error: with the problem's text, its `code` in
  // Error::field, and Code::NotFound, Exists, Stale … by the status. A write carries an Idempotency-Key, and is sent again
  // when the connection broke, so that it is done once. 503 with Retry-After is waited out for a while.
  Result<Answer> call_blocking(Call call);
  // The whole of a list, page by page.
  Result<codec::Value> list_blocking(std::string target);
  // An answer that is read bit by bit; statuses other than 200 are errors.
  boost::asio::awaitable<Result<http::Stream>> async_open(std::string target, http::Headers headers);
  // Runs the loop until the operation has ended.
  Status run_blocking(std::string_view name, boost::asio::awaitable<Status> operation);
  // Runs the loop until the condition holds or the time has come. True: it holds.
  bool wait_blocking(std::function<bool()> const& condition, Monotonic until);

  runtime::AsioLoop& loop() { return loop_; }
  runtime::Gate& gate() { return gate_; }
  Now now() const { return loop_.now(); }
  bool wants_json() const { return wants_json_; }
  http::Endpoint const& endpoint() const;  // the one that is asked at the moment

 private:
  Session(std::vector<http::Endpoint> endpoints, std::string token, bool wants_json);
  http::Request request_of(Call const& call, std::string const& key) const;
  boost::asio::awaitable<Result<http::Response>> async_send(http::Request request);
  Result<http::Response> send_blocking(http::Request const& request);
  void take_next_server() { at_ = (at_ + 1) % clients_.size(); }

  runtime::AsioLoop loop_;
  std::vector<std::unique_ptr<http::Client>> clients_;
  std::size_t at_ = 0;
  std::string token_;
  bool wants_json_ = false;
  runtime::Gate gate_{loop_};
};

int exit_code(Error const& error);

void print_out(std::string_view text);  // to stdout, as it is
void print_note(std::string_view text);  // to stderr: "davit: TEXT\n"
void print_json(codec::Value const& value);
void print_warnings(codec::Value const& answer, PlaceName const& place_name);

// A command that calls the server: `run`, with a session, and its errors printed and turned into exit codes.
std::function<int(Invocation const&)> with_session(std::function<Result<int>(Session&, Invocation const&)> run);

}  // namespace davit::cli
