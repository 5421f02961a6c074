#include "api/logs_route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/log_lines.hpp"
#include "api/log_sources.hpp"
#include "api/logs_query.hpp"

namespace davit::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Wall at(int millis) { return Wall(std::chrono::milliseconds(millis)); }

// Readers that say what the test tells them to say.
class ScriptedLogs : public ports::InstanceLogs {
 public:
  struct Reading {
    ports::LogQuery query;
    std::function<void(ports::LogLine)> on_line;
    std::function<void(Status)> on_end;
    bool is_paused = false;
    bool is_open = true;
    int opened = 0;
  };

  std::unique_ptr<ports::LogReader> read(NodeId, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                         std::function<void(Status)> on_end) override {
    auto& reading = readings[query.container];
    reading = {std::move(query), std::move(on_line), std::move(on_end), false, true, reading.opened + 1};
    return std::make_unique<Handle>(reading);
  }

  void say(std::string const& container, int millis, std::string text) {
    readings.at(container).on_line({at(millis), ports::LogStream::Stdout, std::move(text)});
  }
  void end(std::string const& container, Status status = {}) { readings.at(container).on_end(std::move(status)); }

  std::map<std::string, Reading> readings;

 private:
  struct Handle : ports::LogReader {
    explicit Handle(Reading& its_reading) : reading(its_reading) {}
    ~Handle() override { reading.is_open = false; }
    void pause() override { reading.is_paused = true; }
    void resume() override { reading.is_paused = false; }
    Reading& reading;
  };
};

LogOrigin origin(std::string container, std::uint32_t slot) {
  return {.container = std::move(container), .node = NodeId{1}, .node_name = "n1", .slot = slot, .instance = InstanceId{slot}};
}

struct LogSourcesTest : ::testing::Test {
  LogSources make(bool follow) {
    return {logs, {.follow = follow, .tail = 10}, [this] { ++news; }};
  }

  static std::vector<std::string> take_all(LogSources& sources) {
    std::vector<std::string> taken;
    while (auto const entry = sources.take()) taken.push_back(entry->line ? entry->line->text : "warning: " + entry->warning);
    return taken;
  }

  ScriptedLogs logs;
  int news = 0;
};

TEST_F(LogSourcesTest, merges_by_time_when_not_following) {
  auto sources = make(false);
  sources.update({origin("a", 1), origin("b", 2)}, {});
  logs.say("a", 1, "a1");
  logs.say("a", 4, "a4");
  EXPECT_THAT(take_all(sources), IsEmpty()) << "b may have an earlier line";
  logs.say("b", 2, "b2");
  EXPECT_THAT(take_all(sources), ElementsAre("a1", "b2"));
  logs.end("b");
  EXPECT_THAT(take_all(sources), ElementsAre("a4"));
  EXPECT_FALSE(sources.is_finished());
  logs.end("a");
  EXPECT_TRUE(sources.is_finished());
}

TEST_F(LogSourcesTest, gives_lines_as_they_come_when_following) {
  auto sources = make(true);
  sources.update({origin("a", 1), origin("b", 2)}, {});
  logs.say("a", 9, "a9");
  EXPECT_THAT(take_all(sources), ElementsAre("a9"));
  EXPECT_EQ(news, 1);
}

TEST_F(LogSourcesTest, reads_all_of_a_container_that_joins_later) {
  auto sources = make(true);
  sources.update({origin("a", 1)}, {});
  sources.update({origin("a", 1), origin("b", 1)}, {});
  EXPECT_EQ(logs.readings.at("a").query.tail, 10);
  EXPECT_EQ(logs.readings.at("b").query.tail, std::nullopt);
  EXPECT_EQ(logs.readings.at("a").opened, 1);
}

TEST_F(LogSourcesTest, gives_out_what_a_container_that_has_gone_said_last) {
  auto sources = make(true);
  sources.update({origin("a", 1)}, {});
  logs.say("a", 1, "farewell");
  logs.end("a");
  sources.update({}, {});
  EXPECT_THAT(take_all(sources), ElementsAre("farewell"));
  sources.update({}, {});
  EXPECT_FALSE(logs.readings.at("a").is_open);
}

TEST_F(LogSourcesTest, holds_readers_back_until_their_lines_are_taken) {
  auto sources = make(true);
  sources.update({origin("a", 1)}, {});
  int said = 0;
  while (!logs.readings.at("a").is_paused) {
    logs.say("a", ++said, std::string(1000, 'x'));
    ASSERT_LT(said, 1000);
  }
  EXPECT_LE(static_cast<std::size_t>(said) * 1000, LogSources::kQueuedBytes);
  (void)sources.take();
  EXPECT_TRUE(logs.readings.at("a").is_paused) << "one line is not worth it";
  EXPECT_EQ(take_all(sources).size(), static_cast<std::size_t>(said - 1));
  EXPECT_FALSE(logs.readings.at("a").is_paused);
}

TEST_F(LogSourcesTest, warns_of_a_log_that_cannot_be_read_and_goes_on) {
  auto sources = make(false);
  auto away = origin("b", 2);
  away.is_reachable = false;
  sources.update({origin("a", 1), away, origin("c", 3)}, {});
  logs.say("a", 1, "a1");
  logs.end("c", fail(Code::NotFound, "no such container"));
  EXPECT_THAT(take_all(sources), ElementsAre("warning: the node is not connected", "warning: no such container", "a1"));
  EXPECT_FALSE(logs.readings.contains("b"));
}

TEST_F(LogSourcesTest, goes_on_without_those_that_are_silent) {
  auto sources = make(false);
  sources.update({origin("a", 1), origin("b", 2)}, {});
  logs.say("a", 1, "a1");
  sources.give_up_silent("silent");
  EXPECT_THAT(take_all(sources), ElementsAre("warning: silent", "a1"));
  EXPECT_FALSE(logs.readings.at("b").is_open);
  EXPECT_FALSE(sources.is_finished()) << "a was not silent";
}

TEST_F(LogSourcesTest, reads_on_after_a_failure_while_following) {
  auto sources = make(true);
  Monotonic const start(1h);
  sources.update({origin("a", 1)}, start);
  logs.say("a", 5, "a5");
  logs.end("a", fail(Code::Unavailable, "the engine is away"));
  EXPECT_EQ(sources.retry_at(), start + LogSources::kRetryInterval);
  sources.update({origin("a", 1)}, start + 1s);
  EXPECT_EQ(logs.readings.at("a").opened, 1);
  sources.update({origin("a", 1)}, sources.retry_at());
  EXPECT_EQ(logs.readings.at("a").opened, 2);
  EXPECT_EQ(logs.readings.at("a").query.since, at(6)) << "not the same lines again";
  logs.end("a", fail(Code::Unavailable, "the engine is away"));
  EXPECT_THAT(take_all(sources), ElementsAre("warning: the engine is away", "a5")) << "said once";
  sources.update({}, start + 1h);
  EXPECT_TRUE(sources.is_finished());
}

LogEntry entry_of(LogOrigin const& from, std::string text) {
  return {.origin = &from, .line = ports::LogLine{at(1), ports::LogStream::Stderr, std::move(text)}, .warning = {}};
}

TEST(LogLines, begin_in_one_column) {
  LogLines lines("web", false);
  auto const two = origin("a", 2);
  auto const ten = origin("b", 10);
  lines.widen_for(two);
  lines.widen_for(ten);
  EXPECT_EQ(lines.render(entry_of(two, "hello")), "web.2.n1     | hello\n");
  EXPECT_EQ(lines.render(entry_of(ten, "\xff raw")), "web.10.n1    | \xff raw\n");
  EXPECT_EQ(lines.render({.origin = &two, .line = {}, .warning = "silent"}), "davit: web.2 on n1: silent\n");
}

TEST(LogLines, are_json_by_line_when_asked_for) {
  LogLines const lines("web", true);
  auto const two = origin("a", 2);
  EXPECT_EQ(lines.render(entry_of(two, "a\"\xff")),
            "{\"time\":\"1970-01-01T00:00:00.001Z\",\"node\":\"n1\",\"slot\":2,\"instance\":\"000000000002\",\"stream\":\"stderr\","
            "\"line\":\"a\\\"\xEF\xBF\xBD\"}\n");
  EXPECT_EQ(lines.render({.origin = &two, .line = {}, .warning = "silent"}), "{\"warning\":\"web.2 on n1: silent\"}\n");
}

http::Request asking(http::Query query) {
  http::Request request;
  request.query = std::move(query);
  return request;
}

TEST(LogsQuery, reads_what_docker_users_write) {
  auto const query =
      read_logs_query(asking({{"follow", ""}, {"tail", "20"}, {"since", "10m"}, {"stream", "stderr"}, {"slot", "2"}}), Wall(1h));
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_TRUE(query->what.follow);
  EXPECT_EQ(query->what.tail, 20);
  EXPECT_EQ(query->what.since, Wall(50min));
  EXPECT_FALSE(query->what.with_stdout);
  EXPECT_TRUE(query->what.with_stderr);
  EXPECT_EQ(query->slot, 2U);
  EXPECT_FALSE(query->as_ndjson);
}

TEST(LogsQuery, takes_a_time_and_all) {
  auto const query = read_logs_query(asking({{"tail", "all"}, {"since", "1970-01-01T00:01:00Z"}}), Wall(1h));
  ASSERT_TRUE(query) << query.error().message;
  EXPECT_EQ(query->what.tail, std::nullopt);
  EXPECT_EQ(query->what.since, Wall(1min));
}

TEST(LogsQuery, names_the_parameter_that_is_wrong) {
  std::vector<std::pair<std::string, std::string>> const wrong{{"follow", "maybe"},    {"tail", "-1"},   {"tail", "many"},
                                                               {"since", "yesterday"}, {"since", ""},    {"stream", "both"},
                                                               {"slot", "0"},          {"slot", "web.1"}};
  for (auto const& [name, value] : wrong) {
    auto const query = read_logs_query(asking({{name, value}}), Wall(1h));
    ASSERT_FALSE(query) << name << "=" << value;
    EXPECT_EQ(query.error().field, "?" + name);
    EXPECT_EQ(query.error().code, Code::Invalid);
  }
}

TEST(LogsQuery, follows_no_container_that_has_ended) {
  EXPECT_TRUE(read_logs_query(asking({{"previous", "true"}}), Wall(1h))->previous);
  auto const query = read_logs_query(asking({{"previous", ""}, {"follow", ""}}), Wall(1h));
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().field, "?follow");
}

TEST(LogsQuery, answers_in_the_form_that_is_accepted) {
  auto request = asking({});
  request.headers.set("Accept", "application/x-ndjson");
  EXPECT_TRUE(read_logs_query(request, {})->as_ndjson);
  request.headers.set("Accept", "text/plain, */*");
  EXPECT_FALSE(read_logs_query(request, {})->as_ndjson);
}

}  // namespace
}  // namespace davit::api
