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

TEST_F(NodesTest, puts_labels_that_users_set_before_the_nodes_own) {
  agent->set_own_labels({{"disk", "hdd"}, {"rack", "7"}});
  ASSERT_TRUE(eventually([&] { return node("labels") == R"({"disk":"hdd","rack":"7"})"; }));
  EXPECT_EQ(ask("PATCH", "/nodes/n1", R"({"labels":{"disk":"ssd"}})").status, 200);
  EXPECT_EQ(node("labels"), R"({"disk":"ssd","rack":"7"})");
  EXPECT_EQ(ask("PATCH", "/nodes/n1", R"({"labels":{"disk":null}})").status, 200);
  EXPECT_EQ(node("labels"), R"({"disk":"hdd","rack":"7"})") << "the node's own is back";
  auto const refused = ask("PATCH", "/nodes/n1", R"({"labels":{"rack":null}})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.error("#/labels/rack"), HasSubstr("--labels"));
}

TEST_F(NodesTest, places_by_the_nodes_own_labels) {
  ask("POST", "/services", R"({"name":"web","image":"ok:1","placement":{"constraints":["node.labels.disk==ssd"]}})");
  ASSERT_TRUE(eventually([&] { return codec::dump(get("/services/web/instances").json).contains("no_node_fits"); }));
  agent->set_own_labels({{"disk", "ssd"}});
  EXPECT_TRUE(becomes("web", "running"));
}

struct MasterOnlyTest : NodesTest {
  MasterOnlyTest() { self = {78}; }
};

TEST_F(MasterOnlyTest, is_a_member_and_no_node) {
  EXPECT_EQ(get("/nodes").json.items().size(), 1);
  auto const all = get("/members").json;
  ASSERT_EQ(all.items().size(), 2) << codec::dump(all) << ": one for the worker, one for the master of the same name";
  auto const& members = all.items();
  EXPECT_EQ(codec::dump(members[0].at("roles")), R"(["worker"])");
  EXPECT_EQ(codec::dump(members[1].at("roles")), R"(["master"])");
  EXPECT_EQ(members[1].at("name").text(), "n1");
  EXPECT_EQ(members[1].at("status").text(), "up");
  EXPECT_EQ(members[1].at("address").text(), "10.0.0.1:4821");
  EXPECT_EQ(get("/members?limit=1").json, all) << "a page does not end between two of one name";
}

TEST_F(NodesTest, is_one_member_that_is_master_and_worker) {
  auto const members = get("/members").json;
  ASSERT_EQ(members.items().size(), 1) << codec::dump(members);
  EXPECT_EQ(codec::dump(members.items()[0].at("roles")), R"(["master","worker"])");
  EXPECT_EQ(members.items()[0].at("address").text(), "10.0.0.1:4821") << "of its link";
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

TEST_F(NodesTest, has_nothing_to_balance_with_one_node) {
  ask("POST", "/services", R"({"name":"web","image":"ok:1","instances":3})");
  EXPECT_TRUE(becomes("web", "running"));
  auto const answer = ask("POST", "/rebalance?wait=10s");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(codec::dump(answer.json), R"({"dry_run":false,"moves":[]})");
  EXPECT_EQ(codec::dump(ask("POST", "/rebalance?dry_run=true&max_moves=1000").json), R"({"dry_run":true,"moves":[]})");
}

TEST_F(NodesTest, says_what_is_wrong_with_a_rebalance) {
  EXPECT_THAT(ask("POST", "/rebalance?max_moves=0").error("?max_moves"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(ask("POST", "/rebalance?max_moves=ten").error("?max_moves"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(ask("POST", "/rebalance", R"({"max_moves":3})").error("#/max_moves"), HasSubstr("?max_moves="));
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
