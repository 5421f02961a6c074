#include "cli/session.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "codec/json.hpp"
#include "http/url.hpp"

namespace davit::cli {
namespace {

constexpr std::uint16_t kApiPort = 4820;
constexpr Duration kCallTimeout = 30s;   // for one answer
constexpr Duration kRetryTimeout = 20s;  // for sending again what failed on the way
constexpr Duration kForever = 24h * 365;

std::string_view env(char const* name) {
  auto const* const value = std::getenv(name);
  return value ? std::string_view(value) : std::string_view();
}

std::string default_socket() {
  if (::geteuid() == 0) return "/run/davit.sock";
  auto const data = env("XDG_DATA_HOME");
  return data.empty() ? fmt::format("{}/.local/share/davit/davit.sock", env("HOME")) : fmt::format("{}/davit/davit.sock", data);
}

Result<std::string> read_token(std::string const& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path);
  std::string token;
  if (!(file >> token)) return fail(Code::Invalid, fmt::format("--token-file: {} cannot be read, or is empty", path));
  return token;
}

std::string make_key() {
  std::random_device random;
  std::string key = "cli-";
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", random());
  return key;
}

bool is_write(std::string_view method) { return method != "GET" && method != "HEAD"; }

Duration retry_after(http::Headers const& headers) {
  auto const value = codec::parse_json(headers.get("Retry-After"));  // also a plain number
  auto const seconds = value ? value->as_int() : std::nullopt;
  return seconds && *seconds > 0 && *seconds < 60 ? std::chrono::seconds(*seconds) : Duration(1s);
}

boost::asio::awaitable<void> async_store(std::shared_ptr<std::optional<Status>> result, boost::asio::awaitable<Status> operation) {
  auto status = co_await std::move(operation);
  result->emplace(std::move(status));
}

using SharedResponse = std::shared_ptr<std::optional<Result<http::Response>>>;

boost::asio::awaitable<Status> async_keep(boost::asio::awaitable<Result<http::Response>> operation, SharedResponse into) {
  into->emplace(co_await std::move(operation));
  co_return Status();
}

}  // namespace

std::vector<Option> const& server_options() {
  static std::vector<Option> const options{
      {.name = "host", .letter = 'H', .value = "URL", .help = "Server to ask, or a list \"a,b\" to try in turn (or DAVIT_HOST)."},
      {.name = "token-file", .value = "FILE", .help = "File with the API's bearer token (or DAVIT_API_TOKEN_FILE)."},
      {.name = "output", .letter = 'o', .value = "FORMAT", .help = "table, or json.", .words = {"table", "json"}},
  };
  return options;
}

Result<std::vector<http::Endpoint>> endpoints_of(Invocation const& invocation) {
  std::vector<http::Endpoint> endpoints;
  auto list = invocation.text("host", env("DAVIT_HOST"));
  if (list.empty()) list = fmt::format("{},http://127.0.0.1:{}", default_socket(), kApiPort);
  for (std::string_view rest = list; !rest.empty();) {
    auto const comma = rest.find(',');
    auto const one = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (one.empty()) continue;
    auto endpoint = http::parse_endpoint(one, kApiPort);
    if (!endpoint) return fail(Code::Invalid, "--host: " + endpoint.error().message);
    endpoints.push_back(*std::move(endpoint));
  }
  if (endpoints.empty()) return fail(Code::Invalid, "--host: names no server");
  return endpoints;
}

Result<std::unique_ptr<Session>> Session::open(Invocation const& invocation) {
  TRY(auto endpoints, endpoints_of(invocation));
  TRY(auto token, read_token(invocation.text("token-file", env("DAVIT_API_TOKEN_FILE"))));
  auto const output = invocation.text("output", "table");
  if (output != "table" && output != "json")
    return fail(Code::Invalid, fmt::format("--output: no such format: {}; take table or json", output));
  return std::unique_ptr<Session>(new Session(std::move(endpoints), std::move(token), output == "json"));
}

Session::Session(std::vector<http::Endpoint> endpoints, std::string token, bool wants_json)
    : token_(std::move(token)),
      wants_json_(wants_json) {
  for (auto& endpoint : endpoints) clients_.push_back(std::make_unique<http::Client>(loop_, std::move(endpoint)));
}

Session::~Session() {
  bool closed = false;
  gate_.close([&] { closed = true; });
  loop_.run_until([&] { return closed; }, 5s);
}

http::Endpoint const& Session::endpoint() const { return clients_[at_]->endpoint(); }

bool Session::wait_blocking(std::function<bool()> const& condition, Monotonic until) {
  auto const left = until == kNever ? kForever : until - now().monotonic;
  return loop_.run_until(condition, left);
}

Status Session::run_blocking(std::string_view name, boost::asio::awaitable<Status> operation) {
  auto const result = std::make_shared<std::optional<Status>>();
  runtime::spawn(gate_, name, async_store(result, std::move(operation)));
  wait_blocking([&] { return result->has_value(); }, kNever);
  if (!*result) return fail(Code::Internal, fmt::format("{} never ended", name));
  return **result;
}

http::Request Session::request_of(Call const& call, std::string const& key) const {
  http::Request request{.method = call.method, .target = call.target};
  request.headers.set("Accept", "application/json");
  if (!token_.empty()) request.headers.set("Authorization", "Bearer " + token_);
  if (!call.if_match.empty()) request.headers.set("If-Match", call.if_match);
  if (is_write(call.method)) request.headers.set("Idempotency-Key", key);
  if (call.body.is_null()) return request;
  request.headers.set("Content-Type", "application/json");
  request.body = codec::dump(call.body);
  return request;
}

// Tries each server once, from the one that answered last time.
boost::asio::awaitable<Result<http::Response>> Session::async_send(http::Request request) {
  Error first;
  for (std::size_t tried = 0; tried < clients_.size(); ++tried) {
    auto answer = co_await clients_[at_]->async_request(request, now().monotonic + kCallTimeout);
    if (answer) co_return answer;
    auto error = answer.error();
    error.field.clear();  // here only a server's problem has one
    bool const nothing_was_done = error.code == Code::Unavailable || error.code == Code::Deadline;
    if (tried == 0) first = error;
    take_next_server();
    if (!nothing_was_done) co_return std::unexpected<Error>(std::move(error));
  }
  co_return std::unexpected<Error>(std::move(first));
}

Result<http::Response> Session::send_blocking(http::Request const& request) {
  auto const answer = std::make_shared<std::optional<Result<http::Response>>>();
  TRY_VOID(run_blocking("request", async_keep(async_send(request), answer)));
  return *std::move(*answer);
}

Result<Answer> Session::call_blocking(Call call) {
  auto const request = request_of(call, make_key());
  auto const give_up = now().monotonic + kRetryTimeout;
  for (;;) {
    auto response = send_blocking(request);
    bool const may_be_done = !response && response.error().code == Code::UnknownOutcome;
    bool const is_asked_to_wait = response && response->status == 503 && response->headers.has("Retry-After");
    auto const again = now().monotonic + (response ? retry_after(response->headers) : Duration(200ms));
    if ((may_be_done || is_asked_to_wait) && again < give_up) {
      wait_blocking([] { return false; }, again);
      continue;
    }
    if (!response) return std::unexpected<Error>(response.error());
    if (response->status >= 400) return std::unexpected<Error>(error_of_answer(response->status, response->body.view(), call.place_name));
    Answer answer{.status = response->status, .headers = response->headers, .body = {}};
    if (response->body.empty()) return answer;
    auto body = codec::parse_json(response->body.view());
    if (!body)
      return fail(Code::Internal, fmt::format("{} answers what is no JSON: {}", to_string(endpoint()), body.error().message), "http");
    answer.body = *std::move(body);
    return answer;
  }
}

Result<codec::Value> Session::list_blocking(std::string target) {
  codec::Value all{codec::Value::Array{}};
  for (;;) {
    TRY(auto answer, call_blocking({.target = target}));
    auto* const page = answer.body.as_array();
    if (!page) return fail(Code::Internal, fmt::format("{} answers no list", target), "http");
    for (auto& item : *page) all.push(std::move(item));
    // Link: </services?after=web>; rel="next"
    auto const link = answer.headers.get("Link");
    auto const end = link.find('>');
    if (!link.starts_with('<') || end == std::string_view::npos || link.find("rel=\"next\"") == std::string_view::npos) return all;
    target = std::string(link.substr(1, end - 1));
  }
}

boost::asio::awaitable<Result<http::Stream>> Session::async_open(std::string target, http::Headers headers) {
  if (!token_.empty()) headers.set("Authorization", "Bearer " + token_);
  Error first;
  for (std::size_t tried = 0; tried < clients_.size(); ++tried) {
    http::Request request{.target = target, .headers = headers};
    auto stream = co_await clients_[at_]->async_open(std::move(request), now().monotonic + kCallTimeout);
    if (!stream) {
      if (tried == 0) first = Error{stream.error().code, stream.error().message, {}};
      take_next_server();
      continue;
    }
    if (stream->status() == 200) co_return std::move(stream);
    auto const body = co_await stream->async_read_all(64 * 1024, now().monotonic + kCallTimeout);
    co_return std::unexpected<Error>(error_of_answer(stream->status(), body ? *body : std::string(), {}));
  }
  co_return std::unexpected<Error>(std::move(first));
}

int exit_code(Error const& error) {
  if (!error.field.empty()) return kRefused;  // the server's word: the field is the problem's code
  switch (error.code) {
    case Code::Unavailable:
    case Code::Deadline:
    case Code::UnknownOutcome: return kUnreachable;
    case Code::Invalid: return kUsage;
    case Code::NotFound:
    case Code::Exists:
    case Code::Stale:
    case Code::Fenced:
    case Code::Exhausted:
    case Code::Full:
    case Code::Unsupported:
    case Code::Internal: return kRefused;
  }
  return kRefused;
}

void print_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_note(std::string_view text) {
  std::fflush(stdout);
  auto const line = fmt::format("davit: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_json(codec::Value const& value) { print_out(codec::dump(value, codec::Indent::Pretty) + "\n"); }

void print_warnings(codec::Value const& answer, PlaceName const& place_name) {
  for (auto const& warning : answer.at("warnings").items()) {
    auto const pointer = warning.at("pointer").text();
    auto const place = place_name && !pointer.empty() ? place_name(pointer) + ": " : std::string();
    print_note(fmt::format("warning: {}{}", place, escape_text(warning.at("message").text())));
  }
}

std::function<int(Invocation const&)> with_session(std::function<Result<int>(Session&, Invocation const&)> run) {
  return [run = std::move(run)](Invocation const& invocation) {
    auto session = Session::open(invocation);
    auto const done = session ? run(**session, invocation) : Result<int>(std::unexpected<Error>(session.error()));
    if (done) return *done;
    auto const& error = done.error();
    auto const code = exit_code(error);
    print_note(error.message);
    if (code == kUnreachable) print_note("is Davit running? start it with davit up, or name a server with --host or DAVIT_HOST");
    return code;
  };
}

}  // namespace davit::cli
