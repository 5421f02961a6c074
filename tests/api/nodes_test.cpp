// Writes on nodes: labels, availability, down by hand, gone.
#include <fmt/core.h>

#include "api/api_harness.hpp"

namespace davit::api {
namespace {

using testing::HasSubstr;

struct NodesTest : ApiTest {
  void SetUp() override {
    ApiTest::SetUp();
    ASSERT_TRUE(eventually([&] { return get("/nodes/n1").status == 200; }));
  }
  std::string node(std::string_view field) { return codec::dump(get("/nodes/n1").at(field)); }
};

TEST_F(NodesTest, merges_labels) {
  EXPECT_EQ(ask("PATCH", "/nodes/n1", R"({"labels":{"disk":"ssd","zone":"a"}})").status, 200);
  auto const answer =
      ask("PATCH", "/nodes/n1", R"({"labels":{"zone":null,"rack":"7"}})", {{"Content-Type", "application/merge-patch+json"}});
  EXPECT_EQ(answer.status, 200) << answer;
  EXPECT_NE(answer.headers.get("Davit-Revision"), "");
  EXPECT_EQ(codec::dump(answer.at("labels")), R"({"disk":"ssd","rack":"7"})");
  EXPECT_EQ(node("labels"), R"({"disk":"ssd","rack":"7"})");
}

TEST_F(NodesTest, sets_availability) {
  EXPECT_EQ(ask("PATCH", "/nodes/n1", R"({"availability":"pause"})").at("availability").text(), "pause");
  EXPECT_EQ(ask("POST", "/nodes/n1/drain").at("availability").text(), "drain");
  EXPECT_EQ(ask("POST", "/nodes/n1/activate", "{}").at("availability").text(), "active");
  EXPECT_EQ(ask("POST", "/nodes/n1/activate").status, 200);  // as it is already
}

TEST_F(NodesTest, gives_no_instances_to_a_node_that_takes_none) {
  ask("PATCH", "/nodes/n1", R"({"availability":"pause"})");
  ask("POST", "/services", R"({"name":"web","image":"ok:1"})");
  EXPECT_TRUE(eventually([&] { return codec::dump(get("/services/web/instances").json).contains("no_node_fits"); }));
  ask("POST", "/nodes/n1/activate");
  EXPECT_TRUE(becomes("web", "running"));
}

TEST_F(NodesTest, answers_a_drain_once_nothing_is_left) { EXPECT_EQ(ask("POST", "/nodes/n1/drain?wait=10s").at("instances").as_int(), 0); }

TEST_F(NodesTest, marks_no_node_down_that_answers_and_removes_none_that_is_up) {
  ASSERT_TRUE(eventually([&] { return ask("POST", "/nodes/n1/mark-down").status == 409; }));
  auto const refused = ask("DELETE", "/nodes/n1");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.at("code").text(), "node_state");
  EXPECT_THAT(refused.at("detail").text(), HasSubstr("only one that is down can be removed"));
}

TEST_F(NodesTest, says_what_is_wrong_with_a_patch) {
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"label":{}})").error("#/label"), HasSubstr("availability, labels"));
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"availability":"gone"})").error("#/availability"), HasSubstr("active, pause or drain"));
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"availability":null})").error("#/availability"), HasSubstr("active, pause or drain"));
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"labels":{"a":1}})").error("#/labels/a"), HasSubstr("a string or null"));
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"labels":{"a=b":"c"}})").error("#/labels/a=b"), HasSubstr("no '='"));
  EXPECT_THAT(ask("PATCH", "/nodes/n1", R"({"labels":[]})").error("#/labels"), HasSubstr("an object"));
  EXPECT_THAT(ask("POST", "/nodes/n1/drain", R"({"now":true})").error("#/now"), HasSubstr("takes none"));
  EXPECT_EQ(ask("PATCH", "/nodes/n9", R"({"labels":{}})").at("code").text(), "node_not_found");
}

}  // namespace
}  // namespace davit::api
