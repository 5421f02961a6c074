#include "api/api_harness.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/core.h>

namespace davit::api {
namespace asio = boost::asio;

namespace {

asio::awaitable<void> async_keep(http::Client* client, http::Request request, Monotonic deadline,
                                 std::shared_ptr<std::optional<Answer>> kept) {
  auto response = co_await client->async_request(std::move(request), deadline);
  if (!response) {
    kept->emplace(Answer{.status = 0, .headers = {}, .text = response.error().message, .json = {}});
    co_return;
  }
  Answer answer{.status = response->status, .headers = std::move(response->headers), .text = std::move(response->body).take(), .json = {}};
  if (auto json = codec::parse_json(answer.text)) answer.json = *std::move(json);
  kept->emplace(std::move(answer));
}

}  // namespace

std::string Answer::error(std::string_view pointer) const {
  for (auto const& each : json.at("errors").items()) {
    if (each.at("pointer").text() == pointer) return std::string(each.at("detail").text());
  }
  return {};
}

std::ostream& operator<<(std::ostream& out, Answer const& answer) { return out << answer.status << ' ' << answer.text.substr(0, 2000); }

void ApiTest::start(ApiOptions options) {
  stop();
  auto name = (std::filesystem::temp_directory_path() / "davit-api-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  gate_ = std::make_unique<runtime::Gate>(loop);
  agent = std::make_unique<FakeAgent>(loop, options.node);
  store_ = std::make_unique<sim::MemoryStore>(loop);
  driver_ = std::make_unique<drivers::MasterDriver>(
      drivers::MasterDriver::Ports{loop, *store_, *agent, peers_},
      master::Options{.new_cluster = {1}, .session = "s1", .self = self, .name = "n1", .address = "10.0.0.1:4821"},
      drivers::MasterDriver::Listeners{[this](master::Transition const& change) { api_->on_changed(change); },
                                       [](master::Noted const&) {}});
  api_ = std::make_unique<Api>(loop, *driver_, logs_, std::move(options));
  auto server_options = api_->server_options();
  server_options.stop_grace = 20ms;
  server_ = std::make_unique<http::Server>(loop, std::move(server_options));
  port = server_->listen_tcp("127.0.0.1", 0).value_or(0);
  ASSERT_TRUE(server_->listen_unix(folder_ + "/api.sock", 0600));
  client_ = std::make_unique<http::Client>(loop, *http::parse_endpoint("unix://" + folder_ + "/api.sock"));
  driver_->start();
  if (self != agent->id()) agent->roles = {model::Role::Worker};
  agent->join();
  ASSERT_TRUE(eventually([&] { return driver_->master().acts_for({0}) && driver_->master().pending().empty(); }));
}

void ApiTest::stop() {
  if (!server_) return;
  bool closed = false;
  bool stopped = false;
  gate_->close([&] { closed = true; });
  EXPECT_TRUE(eventually([&] { return closed; }));
  server_->stop([&] { stopped = true; });
  EXPECT_TRUE(eventually([&] { return stopped; }));
  driver_->stop();
  store_->stop();
  client_.reset();
  server_.reset();
  api_.reset();
  driver_.reset();
  gate_.reset();
  std::filesystem::remove_all(folder_);
}

void ApiTest::TearDown() { stop(); }

std::shared_ptr<std::optional<Answer>> ApiTest::send(http::Client& client, http::Request request) {
  auto kept = std::make_shared<std::optional<Answer>>();
  runtime::spawn(*gate_, "ask", async_keep(&client, std::move(request), loop.now().monotonic + 20s, kept));
  return kept;
}

std::shared_ptr<std::optional<Answer>> ApiTest::begin(http::Request request) { return send(*client_, std::move(request)); }

Answer ApiTest::ask(std::string method, std::string target, std::string body, http::Headers headers) {
  if (!body.empty() && !headers.has("Content-Type")) headers.add("Content-Type", "application/json");
  auto const kept =
      begin({.method = std::move(method), .target = std::move(target), .headers = std::move(headers), .body = std::move(body)});
  EXPECT_TRUE(loop.run_until([&] { return kept->has_value(); }, 20s));
  return kept->value_or(Answer{});
}

Answer ApiTest::ask_over_tcp(http::Request request, std::string host_header) {
  http::Client client(loop, *http::parse_endpoint(fmt::format("127.0.0.1:{}", port)), {.host_header = std::move(host_header)});
  auto const kept = send(client, std::move(request));
  EXPECT_TRUE(eventually([&] { return kept->has_value(); }));
  return kept->value_or(Answer{});
}

bool ApiTest::becomes(std::string const& service, std::string_view state) {
  return eventually([&] {
    auto const* found = driver_->master().find_service(service);
    return found && model::to_string(found->status.state) == state;
  });
}

}  // namespace davit::api
