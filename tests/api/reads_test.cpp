// What the API shows: api.md's documents, lists and pages.
#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/core.h>

#include "api/api_harness.hpp"
#include "api/routes.hpp"

namespace davit::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct ReadsTest : ApiTest {
  void create(std::string const& name, std::string const& image, int instances) {
    auto const answer =
        ask("POST", "/services", fmt::format(R"({{"name":"{}","image":"{}","instances":{},"ports":[80]}})", name, image, instances));
    ASSERT_EQ(answer.status, 201) << answer;
  }
};

std::string target_of(std::string_view link) {
  auto const start = link.find('<') + 1;
  return std::string(link.substr(start, link.find('>') - start));
}

std::string names(codec::Value const& list) {
  std::string all;
  for (auto const& each : list.items()) all += std::string(each.at("name").text()) + ' ';
  return all;
}

TEST_F(ReadsTest, explains_what_waits_as_documented) {
  ASSERT_TRUE(eventually([&] { return get("/nodes/n1").status == 200; }));
  ask("POST", "/services",
      R"({"name":"db","image":"ok:1","update_config":{"monitor":"0s"},"placement":{"constraints":["node.labels.disk==ssd"]},"resources":{"reservations":{"memory":"99g"}}})");
  ASSERT_TRUE(eventually([&] { return codec::dump(get("/services/db/instances").json).contains("no node fits: 1 constraint"); }));
  auto const slots = get("/services/db/explain").at("slots");
  ASSERT_EQ(slots.items().size(), 1U);
  EXPECT_EQ(slots.items()[0].at("slot").as_int(), 1);
  EXPECT_EQ(codec::dump(slots.items()[0].at("nodes")),
            R"([{"node":"n1","fits":false,"filter":"constraint","detail":"node.labels.disk==ssd, has no such label","score":null}])");
  ask("PATCH", "/nodes/n1", R"({"labels":{"disk":"ssd"}})");
  ASSERT_TRUE(eventually([&] {
    return codec::dump(get("/services/db/explain").at("slots")).contains(R"("filter":"memory","detail":"wants 99 GiB, 16 GiB unreserved")");
  }));
  EXPECT_THAT(get("/services/db/explain").text, HasSubstr(R"("would_fit":["reservation 16g"])"));
  ask("PUT", "/services/db", R"({"resources":null})");
  ASSERT_TRUE(becomes("db", "running"));
  auto const explained = get("/services/db/explain");
  EXPECT_EQ(codec::dump(explained.at("slots")), "[]");
  EXPECT_EQ(explained.at("next").at("node").text(), "n1");
  auto const& verdicts = explained.at("next").at("nodes").items();
  ASSERT_EQ(verdicts.size(), 1U);
  EXPECT_THAT(std::string(verdicts[0].at("detail").text()), HasSubstr("1 of it here; cpu "));
  EXPECT_EQ(get("/services/none/explain").status, 404);
}

TEST_F(ReadsTest, shows_what_nodes_and_instances_use) {
  agent->set_load({.cpus_used = 1.5, .load_1m = 2.5, .memory_used = {1 << 30}, .pressure = model::Pressure{0.25, 0, 0.5}});
  create("web", "ok:1", 2);
  ASSERT_TRUE(becomes("web", "running"));
  EXPECT_TRUE(get("/services/web").at("instances").items()[0].at("used").is_null()) << "not measured yet";
  agent->measure({.millicores = 250, .memory_kib = 3 << 10});
  ASSERT_TRUE(eventually([&] { return !get("/services/web").at("instances").items()[1].at("used").is_null(); }));
  EXPECT_EQ(codec::dump(get("/services/web").at("instances").items()[0].at("used")), R"({"cpus":0.25,"memory":3145728})");
  EXPECT_EQ(codec::dump(get("/services/web/instances").json.items()[0].at("used")), R"({"cpus":0.25,"memory":3145728})");
  ASSERT_TRUE(eventually([&] { return get("/nodes/n1").at("used").at("cpus").as_number() == 1.5; }));
  EXPECT_EQ(codec::dump(get("/nodes/n1").at("used")),
            R"({"cpus":1.5,"memory":1073741824,"load_1m":2.5,"pressure":{"cpu":0.25,"memory":0,"io":0.5}})");
  auto const metrics = get("/metrics").text;
  EXPECT_THAT(metrics, HasSubstr("davit_service_cpu_used_cores{service=\"web\"} 0.5"));
  EXPECT_THAT(metrics, HasSubstr("davit_service_memory_used_bytes{service=\"web\"} 6291456"));
  EXPECT_THAT(metrics, HasSubstr("davit_node_pressure{node=\"n1\",resource=\"io\"} 0.5"));
  EXPECT_THAT(metrics, HasSubstr("davit_node_load_1m{node=\"n1\"} 2.5"));
}

TEST_F(ReadsTest, shows_a_service_as_documented) {
  create("web", "ok:1", 2);
  ASSERT_TRUE(becomes("web", "running"));
  auto const answer = get("/services/web");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("ETag"), "\"1\"");
  EXPECT_THAT(std::string(answer.at("uid").text()), StartsWith("1-"));
  EXPECT_EQ(codec::dump(answer.at("spec")), R"({"image":"ok:1","instances":2,"ports":[{"target":80,"protocol":"tcp","mode":"host"}]})");
  EXPECT_EQ(codec::dump(answer.at("status")),
            R"({"state":"running","desired":2,"running":2,"ready":2,"updated":2,"image_digest":"","rollout":null,"message":""})");
  ASSERT_EQ(answer.at("instances").items().size(), 2U);
  auto const& first = answer.at("instances").items()[0];
  EXPECT_EQ(first.at("node").text(), "n1");
  EXPECT_EQ(first.at("slot").as_int(), 1);
  EXPECT_EQ(first.at("id").text().size(), 12U);
  EXPECT_EQ(first.at("state").text(), "running");
  EXPECT_EQ(first.at("ready").as_bool(), true);
  EXPECT_EQ(first.at("reason").text(), "");
  EXPECT_TRUE(first.at("exit_code").is_null());
  EXPECT_EQ(codec::dump(first.at("ports")), R"([{"target":80,"protocol":"tcp","address":"10.0.0.11","published":20000}])");
  EXPECT_EQ(codec::dump(first.at("container")), R"({"id":"c1","name":"web","address":"172.17.0.3"})");
  EXPECT_THAT(std::string(first.at("state_since").text()), HasSubstr("Z"));
  EXPECT_EQ(get("/v1/service/web").text, answer.text);
  EXPECT_THAT(get("/services/web?defaults=true").text, HasSubstr(R"("stop_grace_period":"10s")"));
}

TEST_F(ReadsTest, says_why_an_instance_does_not_run) {
  create("web", "none:1", 1);
  ASSERT_TRUE(becomes("web", "degraded"));
  auto const instance = get("/services/web").at("instances").items()[0];
  EXPECT_EQ(instance.at("state").text(), "failed");
  EXPECT_EQ(instance.at("reason").text(), "image_not_found");
  EXPECT_NE(instance.at("next_start_at").text(), "");
  EXPECT_TRUE(instance.at("container").is_null());
  auto const list = get("/services").json;
  EXPECT_EQ(list.items()[0].at("message").text(), "web.1: no such image");
}

TEST_F(ReadsTest, lists_services_by_name_and_page) {
  for (auto const* name : {"c", "a", "e", "b", "d"}) create(name, "wait:1", 0);
  auto const all = get("/services");
  EXPECT_EQ(names(all.json), "a b c d e ");
  EXPECT_FALSE(all.headers.has("Link"));
  EXPECT_NE(all.headers.get("Davit-Event-Id"), "");
  EXPECT_EQ(get("/service").text, all.text);
  auto page = get("/v1/services?limit=2");
  EXPECT_EQ(names(page.json), "a b ");
  EXPECT_EQ(page.headers.get("Link"), "</v1/services?limit=2&after=b>; rel=\"next\"");
  page = get(target_of(page.headers.get("Link")));
  EXPECT_EQ(names(page.json), "c d ");
  page = get(target_of(page.headers.get("Link")));
  EXPECT_EQ(names(page.json), "e ");
  EXPECT_FALSE(page.headers.has("Link"));
  EXPECT_EQ(names(get("/services?after=bb").json), "c d e ");
  EXPECT_EQ(get("/services?after=z").text, "[]\n");
}

TEST_F(ReadsTest, says_that_a_list_has_not_changed) {
  create("web", "ok:1", 1);
  ASSERT_TRUE(becomes("web", "running"));
  auto const etag = std::string(get("/services").headers.get("ETag"));
  auto const same = get("/services", {{"If-None-Match", etag}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.text, "");
  EXPECT_EQ(same.headers.get("ETag"), etag);
  ASSERT_EQ(ask("PUT", "/services/web", R"({"instances":2})").status, 200);
  auto const changed = get("/services", {{"If-None-Match", etag}});
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.json.items()[0].at("desired").as_int(), 2);
}

TEST_F(ReadsTest, follows_every_change_in_the_list) {
  for (auto const* name : {"a", "b", "c"}) create(name, "ok:1", 1);
  ASSERT_TRUE(becomes("c", "running"));
  ASSERT_EQ(ask("DELETE", "/services/b?wait=5s").status, 200);
  EXPECT_EQ(names(get("/services").json), "a c ");
  create("aa", "ok:1", 0);
  create("b", "ok:2", 0);
  auto const list = get("/services").json;
  EXPECT_EQ(names(list), "a aa b c ");
  EXPECT_EQ(list.items()[2].at("image").text(), "ok:2");
  EXPECT_EQ(list.items()[3].at("ready").as_int(), 1);
}

TEST_F(ReadsTest, gives_all_instances_in_one_list_and_in_pages) {
  create("web", "ok:1", 1100);
  ASSERT_TRUE(becomes("web", "running"));
  EXPECT_EQ(get("/services/web").at("instances").items().size(), 1000U);
  auto const all = get("/services/web/instances");
  ASSERT_EQ(all.json.items().size(), 1100U) << all;
  auto page = get("/services/web/instances?limit=600");
  ASSERT_EQ(page.json.items().size(), 600U);
  page = get(target_of(page.headers.get("Link")));
  ASSERT_EQ(page.json.items().size(), 500U);
  EXPECT_FALSE(page.headers.has("Link"));
  EXPECT_EQ(page.json.items()[0].at("slot").as_int(), 601);
  EXPECT_EQ(get("/services/none/instances").status, 404);
}

TEST_F(ReadsTest, tells_the_history_with_generations_and_revisions) {
  create("web", "ok:1", 1);
  ASSERT_EQ(ask("PUT", "/services/web", R"({"instances":2})").status, 200);
  ASSERT_TRUE(becomes("web", "running"));
  ASSERT_EQ(ask("PUT", "/services/web", R"({"image":"wait:2"})", {{"Idempotency-Key", "k1"}}).status, 200);
  auto const events = get("/services/web/history").json;
  ASSERT_EQ(events.items().size(), 3U) << codec::dump(events);
  auto const line = [&](std::size_t i) {
    auto const& event = events.items()[i];
    return fmt::format("{} {} {} {} {}", *event.at("number").as_int(), event.at("type").text(), *event.at("generation").as_int(),
                       *event.at("revision").as_int(), event.at("message").text());
  };
  EXPECT_EQ(line(0), "1 created 1 1 1 x ok:1");
  EXPECT_EQ(line(1), "2 spec_changed 2 1 instances 1 → 2");
  EXPECT_EQ(line(2), "3 spec_changed 3 2 image \"ok:1\" → \"wait:2\"");
  EXPECT_EQ(events.items()[2].at("request_id").text(), "k1");
  EXPECT_EQ(get("/services/none/history").status, 404);
}

TEST_F(ReadsTest, shows_nodes_and_members) {
  auto const nodes = get("/nodes").json;
  ASSERT_EQ(nodes.items().size(), 1U);
  auto const& node = nodes.items()[0];
  EXPECT_EQ(node.at("name").text(), "n1");
  EXPECT_EQ(node.at("status").text(), "up");
  EXPECT_EQ(codec::dump(node.at("roles")), R"(["master","worker"])");
  EXPECT_EQ(codec::dump(node.at("capacity")), R"({"cpus":8,"memory":17179869184})");
  EXPECT_EQ(node.at("platform").text(), "linux/amd64");
  EXPECT_EQ(get("/nodes/n1").text, codec::dump(node) + "\n");
  EXPECT_EQ(get("/nodes/" + std::string(node.at("id").text())).status, 200);
  EXPECT_EQ(get("/nodes/n2").status, 404);
  EXPECT_EQ(get("/members").json.items()[0].at("address").text(), "10.0.0.1:4821");
}

TEST_F(ReadsTest, is_healthy_while_the_engine_answers) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/healthz").at("status").text(), "ok");
  agent->set_engine(false);
  ASSERT_TRUE(eventually([&] { return get("/healthz").status == 503; }));
  EXPECT_THAT(get("/healthz").text, HasSubstr("connection refused"));
  agent->set_engine(true);
  ASSERT_TRUE(eventually([&] { return get("/v1/healthz").status == 200; }));
}

TEST_F(ReadsTest, answers_head_like_get_without_a_body) {
  create("web", "ok:1", 1);
  for (auto const* target : {"/services", "/services/web", "/services/web/history", "/services/web/instances", "/version", "/metrics"}) {
    auto const answer = ask("HEAD", target);
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.text, "") << target;
    EXPECT_NE(answer.headers.get("Content-Length"), "0") << target;
  }
  EXPECT_EQ(ask("HEAD", "/services/none").status, 404);
}

TEST_F(ReadsTest, asks_to_wait_for_a_revision_that_it_has_not_seen) {
  auto const seen = std::string(ask("POST", "/services", R"({"name":"web","image":"ok:1"})").headers.get("Davit-Revision"));
  EXPECT_EQ(get("/services/web", {{"Davit-Revision", seen}}).status, 200);
  auto const later = get("/services/web", {{"Davit-Revision", "1000000"}});
  EXPECT_EQ(later.status, 503);
  EXPECT_EQ(later.headers.get("Retry-After"), "1");
}

TEST_F(ReadsTest, describes_every_route_and_no_other) {
  std::set<std::string> served;
  for (auto const& route : all_routes()) {
    auto method = std::string(route.method);
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    served.insert(fmt::format("{} {}", method, route.path));
  }
  std::set<std::string> described;
  auto const document = get("/openapi.json").json;
  for (auto const& path : document.at("paths").members()) {
    for (auto const& operation : path.value.members()) {
      if (operation.key != "parameters") described.insert(fmt::format("{} {}", operation.key, path.key));
    }
  }
  EXPECT_EQ(described, served);
}

TEST_F(ReadsTest, names_its_version_and_engine) {
  EXPECT_EQ(get("/version").text,
            R"({"version":"0.1","api_version":"v1","node":"n1","engine":{"version":"27.1.1","api":"1.46","platform":"linux/amd64"}})"
            "\n");
}

}  // namespace
}  // namespace davit::api
