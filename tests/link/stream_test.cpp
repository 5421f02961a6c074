// One stream of gRPC whose sides keep different time: what waits at the side that does not take it is bounded.
#include <atomic>
#include <memory>
#include <string>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "rpc/client.hpp"
#include "rpc/server.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::rpc {
namespace {

constexpr std::size_t kMessageBytes = std::size_t{256} << 10;
constexpr std::size_t kMessages = 200;

class StreamTest : public testing::Test {
 protected:
  void SetUp() override {
    auto listening = Server::listen(server_loop_, "127.0.0.1:0", {}, [this](std::unique_ptr<Incoming> incoming) {
      at_server_ = incoming->accept(
          [this](std::string message) -> Task {
            arrived_ += message.size();
            return [this, size = message.size()] { taken_ += size; };
          },
          [](Outcome const&) {});
    });
    ASSERT_TRUE(listening) << listening.error().message;
    server_ = *std::move(listening);
    auto const connection = client_.connect(fmt::format("127.0.0.1:{}", server_->port()), {}, [this](bool now) { is_there_ = now; });
    ASSERT_TRUE(client_loop_.run_until([this] { return is_there_; }, 20s));
    at_client_ = client_.open(
        connection, "/test/Stream", {}, [](std::string const&) -> Task { return [] {}; }, [this](Outcome const&) { has_ended_ = true; });
    ASSERT_TRUE(server_loop_.run_until([this] { return at_server_ != nullptr; }, 20s));
  }

  // The server's control thread stands still meanwhile.
  void send_all() {
    for (std::size_t i = 0; i < kMessages; ++i) at_client_->send(std::string(kMessageBytes, 'x'));
    static_cast<void>(client_loop_.run_until([this] { return arrived_ > kMostUntaken + kMessageBytes; }, 500ms));
  }

  runtime::AsioLoop client_loop_;
  runtime::AsioLoop server_loop_;
  Client client_{client_loop_};
  std::unique_ptr<Server> server_;
  std::unique_ptr<Stream> at_client_;
  std::unique_ptr<Stream> at_server_;
  std::atomic<std::size_t> arrived_ = 0;  // by the word of gRPC's thread
  std::size_t taken_ = 0;
  bool is_there_ = false;  // the connection, which changes as long as the client lives
  bool has_ended_ = false;
};

TEST_F(StreamTest, is_read_no_faster_than_it_is_taken) {
  send_all();
  EXPECT_LE(arrived_, kMostUntaken + kMessageBytes);
  EXPECT_GT(at_client_->unsent(), 0U);
  EXPECT_TRUE(server_loop_.run_until([this] { return taken_ == kMessages * kMessageBytes; }, 20s));
}

TEST_F(StreamTest, ends_while_it_is_not_read) {
  send_all();
  at_server_.reset();
  EXPECT_TRUE(client_loop_.run_until([this] { return has_ended_; }, 20s));
}

TEST_F(StreamTest, goes_with_the_server_that_takes_nothing_any_more) {
  send_all();
  server_.reset();
  EXPECT_TRUE(client_loop_.run_until([this] { return has_ended_; }, 20s));
}

}  // namespace
}  // namespace davit::rpc
