#include "api/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/json.hpp"

namespace davit::api {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

master::Transition running(std::string service, std::uint32_t slot) {
  return {.type = "instance.running",
          .service = std::move(service),
          .slot = slot,
          .instance = InstanceId{7},
          .revision = 2,
          .node = "n1",
          .previous = "starting"};
}

TEST(EventLog, gives_ids_that_name_node_life_and_number) {
  EventLog log("n1", 0x7f3a);
  EXPECT_EQ(log.newest_id(), "n1.7f3a.0");
  log.append(running("web", 1));
  EXPECT_EQ(log.newest_id(), "n1.7f3a.1");
}

TEST(EventLog, writes_an_event_as_one_server_sent_frame) {
  EventLog log("n1", 1);
  log.append(running("web", 2));
  auto const& frame = log.find(1)->frame;
  EXPECT_THAT(frame, StartsWith("id: n1.1.1\nevent: instance.running\ndata: {"));
  EXPECT_THAT(frame, EndsWith("}\n\n"));
  auto const start = frame.find("data: ") + 6;
  auto const data = codec::parse_json(std::string_view(frame).substr(start));
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->at("slot").as_int(), 2);
  EXPECT_EQ(data->at("instance").text(), "000000000007");
  EXPECT_EQ(data->at("previous").text(), "starting");
  EXPECT_EQ(data->at("reason").text(), "");
}

TEST(EventLog, leaves_out_what_does_not_apply) {
  EventLog log("n1", 1);
  log.append({.type = "node.up", .node = "n1", .message = "two\nlines"});
  auto const& frame = log.find(1)->frame;
  for (auto const* const key : {"\"service\"", "\"slot\"", "\"instance\"", "\"previous\""})
    EXPECT_THAT(frame, ::testing::Not(HasSubstr(key)));
  EXPECT_THAT(frame, HasSubstr("\"two\\nlines\"")) << "a line break would end the data";
}

TEST(EventLog, resumes_after_what_it_still_has) {
  EventLog log("n1", 1, 3);
  for (std::uint32_t slot = 1; slot <= 5; ++slot) log.append(running("web", slot));
  EXPECT_EQ(log.resume_after("n1.1.5"), 5);
  EXPECT_EQ(log.resume_after("n1.1.2"), 2) << "3, 4 and 5 are there";
  EXPECT_EQ(log.find(2), nullptr);
  EXPECT_NE(log.find(3), nullptr);
  EXPECT_EQ(log.find(6), nullptr);
}

TEST(EventLog, does_not_resume_where_events_are_lost) {
  EventLog log("n1", 1, 3);
  for (std::uint32_t slot = 1; slot <= 5; ++slot) log.append(running("web", slot));
  for (auto const* const id : {"n1.1.1", "n1.1.6", "n1.2.5", "n2.1.5", "n1.1.", "n1.1.5x", "n1.1.-1", "", "5"}) {
    EXPECT_EQ(log.resume_after(id), std::nullopt) << id;
  }
}

TEST(EventLog, wakes_subscribers_until_they_go) {
  EventLog log("n1", 1);
  int woken = 0;
  {
    auto const subscription = log.subscribe([&] { ++woken; });
    log.append(running("web", 1));
    log.append(running("web", 2));
  }
  log.append(running("web", 3));
  EXPECT_EQ(woken, 2);
}

}  // namespace
}  // namespace davit::api
