// Answers that come piece by piece, and stopping while one is under way.
#include <filesystem>
#include <string>

#include <fmt/core.h>

#include "http/http_harness.hpp"

namespace davit::http {
namespace {

using testing::HasSubstr;

TEST_F(HttpTest, a_stream_comes_chunk_by_chunk_and_the_connection_lives_on) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("8\r\nchunk {}\n\r\n", i)) != std::string::npos; }));
  }
  ASSERT_TRUE(eventually([&] { return client.received().ends_with("0\r\n\r\n"); }));
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return client.received().find("X-Path: /a") != std::string::npos; }));
}

TEST_F(HttpTest, a_request_sent_during_a_stream_is_answered_after_it) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  client.send(kGet);
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("chunk {}\n", i)) != std::string::npos; }));
  }
  EXPECT_TRUE(eventually([&] { return client.received().find("X-Path: /a") != std::string::npos; }));
}

TEST_F(HttpTest, a_client_leaving_ends_an_idle_stream) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  EXPECT_FALSE(stream_ended);
  client.close();
  EXPECT_TRUE(eventually([&] { return stream_ended && server->connections() == 0; }));
}

TEST_F(HttpTest, an_http_1_0_client_reads_a_stream_to_the_end_of_the_connection) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("chunk {}\n", i)) != std::string::npos; }));
  }
  ASSERT_TRUE(eventually([&] { return client.is_closed(); }));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\nchunk 0\nchunk 1\nchunk 2\n")) << client.received();
}

TEST_F(HttpTest, the_client_reads_a_stream) {
  start();
  Client client(loop, unix_socket());
  Reading reading;
  runtime::spawn(*gate, "read", read_stream(&client, get("/stream"), in(3s), &reading));
  ASSERT_TRUE(eventually([&] { return reading.opened.has_value(); }));
  EXPECT_EQ(**reading.opened, 200);
  for (std::string const expected : {"chunk 0\n", "chunk 0\nchunk 1\n", "chunk 0\nchunk 1\nchunk 2\n"}) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return reading.text == expected; }));
  }
  ASSERT_TRUE(eventually([&] { return reading.ended.has_value(); }));
  EXPECT_TRUE(*reading.ended);
}

TEST_F(HttpTest, a_stream_that_breaks_is_not_taken_for_complete) {
  start();
  Client client(loop, tcp());
  Reading reading;
  runtime::spawn(*gate, "read", read_stream(&client, get("/stream"), in(3s), &reading));
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  more.notify();
  ASSERT_TRUE(eventually([&] { return reading.text == "chunk 0\n"; }));
  stop_server();
  ASSERT_TRUE(eventually([&] { return reading.ended.has_value(); }));
  EXPECT_EQ(reading.ended->error().code, Code::Unavailable);
  EXPECT_TRUE(stream_ended);
}

TEST_F(HttpTest, stopping_waits_for_an_answer_under_way) {
  options.stop_grace = 5s;
  start();
  RawClient client(port);
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  bool stopped = false;
  server->stop([&] { stopped = true; });
  loop.post([&] { more.notify(); });
  ASSERT_TRUE(eventually([&] { return stopped; }));
  EXPECT_THAT(client.received(), HasSubstr("200 OK"));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_FALSE(std::filesystem::exists(socket_path));
  EXPECT_FALSE(RawClient(port).is_connected());
  server.reset();
}

TEST_F(HttpTest, stopping_does_not_wait_for_ever) {
  start();
  RawClient client(port);
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  stop_server();
  EXPECT_TRUE(eventually([&] { return client.is_closed(); }));
}

}  // namespace
}  // namespace davit::http
