#include "core/agent/ownership.hpp"

#include <gtest/gtest.h>

namespace davit::agent {
namespace {

std::optional<LabelledProbe> read_back(std::string label) { return probe_of({{kProbeLabel, std::move(label)}}); }

TEST(ProbeLabel, says_how_a_container_is_probed) {
  model::Healthcheck check{.test = {},
                           .http = model::HttpProbe{8080, "/is it/ready"},
                           .tcp = {},
                           .interval = 10s,
                           .timeout = 1500ms,
                           .retries = 7,
                           .start_period = 0s,
                           .start_interval = 1ms};
  auto const http = read_back(probe_label_of(&check, true));
  ASSERT_TRUE(http);
  EXPECT_EQ(http->check, check);
  EXPECT_TRUE(http->is_of_host);
  check.http.reset();
  check.tcp = model::TcpProbe{5432};
  auto const tcp = read_back(probe_label_of(&check, false));
  ASSERT_TRUE(tcp);
  EXPECT_EQ(tcp->check, check);
  EXPECT_FALSE(tcp->is_of_host);
}

TEST(ProbeLabel, is_not_believed_where_no_spec_would_be) {
  EXPECT_EQ(probe_label_of(nullptr, false), "");
  EXPECT_FALSE(read_back(""));
  EXPECT_TRUE(read_back("tcp 80 container 1000 1000 3 0 1000"));
  for (auto const* label :
       {"tcp", "tcp 80", "tcp 0 container 1000 1000 3 0 1000", "tcp 70000 container 1000 1000 3 0 1000", "tcp 80 container 0 1000 3 0 1000",
        "tcp 80 container 1000 1000 3 0 0", "tcp 80 container 1000 1000 0 0 1000", "tcp 80 container 9000000000000000000 1000 3 0 1000",
        "tcp 80 container 1000 1000 9999 0 1000", "udp 80 container 1000 1000 3 0 1000", "tcp 80 container 1000 1000 3 -1 1000",
        "tcp 99999999999999999999 container 1000 1000 3 0 1000"}) {
    EXPECT_FALSE(read_back(label)) << label;
  }
}

TEST(Labels, leave_none_of_an_image_standing_that_was_made_of_a_container) {
  auto const labels = labels_of({{1}, {2}}, {.instance = {3}, .uid = {1, 4}, .service = "web", .slot = 1, .revision = 1, .fence = {}});
  EXPECT_EQ(labels.at("davit.token"), "0");
}

}  // namespace
}  // namespace davit::agent
