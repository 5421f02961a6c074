#include "cli/views.hpp"

#include <gtest/gtest.h>

#include "cli/problem_text.hpp"
#include "codec/json.hpp"

namespace davit::cli {
namespace {

codec::Value json(std::string_view text) {
  auto value = codec::parse_json(text);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *std::move(value) : codec::Value();
}

TEST(Views, ListServices) {
  auto const list = json(R"([
    {"name":"web","image":"davit/hello:1","desired":3,"ready":3,"state":"running","ports":[{"target":80,"protocol":"tcp"}],"message":""},
    {"name":"db","image":"postgres:16","desired":1,"ready":0,"state":"degraded","ports":[],"message":"no node fits: davit service explain db"}])");
  EXPECT_EQ(services_table(list.items()).render(),
            "NAME  IMAGE          READY  STATE     PORTS   MESSAGE\n"
            "web   davit/hello:1  3/3    running   80/tcp\n"
            "db    postgres:16    0/1    degraded          no node fits: davit service explain db\n");
}

TEST(Views, TellPortsApart) {
  EXPECT_EQ(port_text(json(R"({"target":80,"protocol":"tcp","mode":"host"})")), "80/tcp");
  EXPECT_EQ(port_text(json(R"({"target":80,"published":8080,"published_end":8089,"mode":"host"})")), "8080-8089→80/tcp");
  EXPECT_EQ(port_text(json(R"({"target":53,"published":5353,"protocol":"udp","mode":"ingress"})")), "*:5353→53/udp");
}

TEST(Views, ListInstances) {
  auto const list = json(R"([
    {"id":"k3v9x1c0qp7d","service":"web","slot":1,"revision":1,"node":"n1","state":"running","health":"healthy","ready":true,"restarts":0,
     "exit_code":null,"state_since":"2026-01-01T00:00:00Z","ports":[{"target":80,"protocol":"tcp","address":"10.0.0.11","published":20000}]},
    {"id":"t8w2m5aaxxxx","service":"web","slot":2,"revision":1,"node":"n2","state":"failed","health":"none","ready":false,"restarts":5,
     "exit_code":3,"next_start_at":"2026-01-01T00:02:08Z","state_since":"2026-01-01T00:01:56Z","ports":[],"message":"exited with 3"}])");
  EXPECT_EQ(instances_table(list.items(), *parse_rfc3339("2026-01-01T00:02:00Z"), false).render(),
            "NAME   ID        REV  NODE  STATE            SINCE  RESTARTS  ENDPOINT            MESSAGE\n"
            "web.1  k3v9x1c0  1    n1    running healthy  2m     0         10.0.0.11:20000→80\n"
            "web.2  t8w2m5aa  1    n2    backing off 8s   4s     5         -                   exit 3; davit service logs web.2\n");
}

TEST(Views, ExplainWhatWaits) {
  auto const db = json(R"({"slots":[{"slot":1,"waiting_since":"2026-01-01T00:00:00Z","nodes":[
    {"node":"n1","fits":false,"filter":"memory","detail":"wants 4 GiB, 1.2 GiB unreserved","score":null},
    {"node":"n2","fits":false,"filter":"constraint","detail":"node.labels.disk==ssd, is hdd","score":null},
    {"node":"n3","fits":false,"filter":"availability","detail":"drain","score":null}],
    "would_fit":["reservation 1.2g","davit node activate n3"]}]})");
  auto const now = *parse_rfc3339("2026-01-01T00:00:42Z");
  EXPECT_EQ(explanation_text("db", db, now),
            "db.1 waits 42s: 0 of 3 nodes fit\n"
            "  n1  memory        wants 4 GiB, 1.2 GiB unreserved\n"
            "  n2  constraint    node.labels.disk==ssd, is hdd\n"
            "  n3  availability  drain\n"
            "Would fit: reservation 1.2g; or davit node activate n3\n");
  auto const web = json(R"({"slots":[{"slot":2,"waiting_since":"2026-01-01T00:00:41Z","nodes":[
    {"node":"n1","fits":true,"filter":"","detail":"0 of it here; cpu 12%","score":0.834}],"would_fit":[]}]})");
  EXPECT_EQ(explanation_text("web", web, now), "web.2 waits 1s: 1 of 1 node fit\n  n1  fits  score 0.83: 0 of it here; cpu 12%\n");
  EXPECT_EQ(explanation_text("web", json(R"({"slots":[]})"), now), "web: no instance waits for a node\n");
}

TEST(Views, ExplainWhereTheNextOneWouldGo) {
  auto const web = json(R"({"slots":[],"next":{"node":"n2","nodes":[
    {"node":"n2","fits":true,"filter":"","detail":"1 of it here; cpu 12%","score":0.834},
    {"node":"n10","fits":true,"filter":"","detail":"1 of it here; cpu 98%","score":0.02},
    {"node":"n3","fits":false,"filter":"availability","detail":"drain","score":null}]}})");
  EXPECT_EQ(explanation_text("web", web, Wall()),
            "web: no instance waits for a node; the next one would go to n2\n"
            "  n2   fits          score 0.83: 1 of it here; cpu 12%\n"
            "  n10  fits          score 0.02: 1 of it here; cpu 98%\n"
            "  n3   availability  drain\n");
  auto const full =
      json(R"({"slots":[],"next":{"node":null,"nodes":[{"node":"n3","fits":false,"filter":"availability","detail":"drain"}]}})");
  EXPECT_EQ(explanation_text("web", full, Wall()),
            "web: no instance waits for a node; another one would find none\n  n3  availability  drain\n");
}

TEST(Views, ListWhatInstancesUse) {
  auto const list = json(R"([{"service":"web","slot":1,"node":"n1","state":"running","used":{"cpus":1.5,"memory":12582912}},
    {"service":"web","slot":2,"node":"","state":"pending","used":null}])");
  EXPECT_EQ(use_table(list.items()).render(),
            "NAME   NODE  STATE    CPU     MEMORY\n"
            "web.1  n1    running  150.0%  12 MiB\n"
            "web.2  -     pending  -       -\n");
}

TEST(Views, ListNodes) {
  auto const list = json(R"([{"name":"n1","address":"10.0.0.11:4821","roles":["master","worker"],"status":"up","availability":"active",
    "capacity":{"cpus":8,"memory":16777216000},"used":{"cpus":2.5,"memory":5368709120},"instances":12,"engine":{"version":"27.1"}}])");
  EXPECT_EQ(nodes_table(list.items()).render(),
            "NAME  ROLES          STATUS  AVAILABILITY  INSTANCES  CPU  MEMORY   ENGINE  ADDRESS\n"
            "n1    master,worker  up      active        12         31%  5/16 GB  27.1    10.0.0.11\n");
}

TEST(Views, WriteEventsAndPorts) {
  EXPECT_EQ(event_line(json(R"({"time":"T","type":"instance.running","service":"web","slot":2,"node":"n2","previous":"starting"})")),
            "T  instance.running     web.2  n2  was starting");
  EXPECT_EQ(port_text(json(R"({"target":80,"published":8080,"published_end":8089})")), "8080-8089→80/tcp");
  EXPECT_EQ(port_text(json(R"({"target":53,"protocol":"udp"})")), "53/udp");
  EXPECT_EQ(trouble_text(json(R"({"service":"web","slot":1,"state":"failed","exit_code":137,"reason":"oom_killed"})")),
            "out of memory; davit service logs web.1");
  EXPECT_EQ(trouble_text(json(R"({"state":"pending","reason":"no_node_fits"})")), "no_node_fits");
}

TEST(Views, BearAnswersThatLackEverything) {
  auto const list = json(R"([{},3,null])");
  EXPECT_EQ(services_table(list.items()).size(), 3U);
  EXPECT_EQ(instances_table(list.items(), Wall(), true).size(), 3U);
  EXPECT_EQ(nodes_table(list.items()).size(), 3U);
  EXPECT_EQ(history_table(list.items()).size(), 3U);
}

TEST(Table, RendersByTemplate) {
  Table table({"NAME", "STATE"});
  table.add({"web", "running"});
  EXPECT_EQ(table.render("{{.Name}} is {{.State}}!").value_or(""), "web is running!\n");
  EXPECT_EQ(table.render("plain {{").value_or(""), "plain {{\n");
  EXPECT_FALSE(table.render("{{.Sate}}"));
  EXPECT_EQ(table.render_first_column(), "web\n");
}

TEST(Table, EscapesWhatCouldDriveATerminal) {
  EXPECT_EQ(escape_text("a\x1b[31m\n\xff é → \xc2\x9b"), "a\\x1b[31m\\x0a\\xff é → \\xc2\\x9b");
  Table table({"A"});
  table.add({"\x07"});
  EXPECT_EQ(table.render(), "A\n\\x07\n");
  EXPECT_EQ(cut_to_width("a→b", 2), "a→");
}

TEST(ProblemText, HasALineForEachError) {
  auto const problem = json(
      R"({"title":"Invalid spec","detail":"nothing was changed","errors":[{"pointer":"#/env","detail":"did you mean environment?"}]})");
  EXPECT_EQ(problem_text(problem, {}), "Invalid spec: nothing was changed\n  #/env: did you mean environment?");
  EXPECT_EQ(problem_text(problem, [](std::string_view) { return std::string("a.yaml:3:5"); }),
            "Invalid spec: nothing was changed\n  a.yaml:3:5: did you mean environment?");
}

TEST(ProblemText, TakesAnswersThatAreNoProblems) {
  auto const error = error_of_answer(502, "<html>", {});
  EXPECT_EQ(error.message, "HTTP 502 Bad Gateway: <html>");
  EXPECT_EQ(error.field, "http");
  EXPECT_EQ(error_of_answer(412, R"({"title":"T","code":"stale"})", {}), (Error{Code::Stale, "T", "stale"}));
}

}  // namespace
}  // namespace davit::cli
