// Against a scripted server: what Consul is asked, what its answers mean, and servers that are no Consul.
#include "adapters/registry_consul/consul_registry.hpp"

#include <fmt/core.h>

#include "codec/json.hpp"
#include "codec/value.hpp"
#include "http/http_harness.hpp"

namespace davit::registry_consul {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

model::RegistryEntry entry() {
  return {.id = "davit-c-i-80-tcp",
          .service = "web",
          .address = "10.0.0.1",
          .port = 20000,
          .tags = {"davit", "slot-1"},
          .meta = {{"cluster", "c"}, {"node_id", "n"}},
          .check = model::RegistryCheck{.path = "/ok", .interval = 1500ms, .timeout = 1s, .retries = 3}};
}

class ConsulRegistryTest : public http::HttpTest {
 protected:
  void TearDown() override {
    end();
    http::HttpTest::TearDown();
  }
  void end() {
    if (consul_) {
      consul_->stop();
      EXPECT_TRUE(eventually([this] { return consul_->is_stopped(); }));
      consul_.reset();
    }
    stop_server();
  }
  void serve(http::Response response) {
    options.fast_handler = [this, response](http::Request const& request) {
      requests.push_back(request);
      return response;
    };
    start();
    consul_.emplace(loop, ConsulAddress{.endpoint = tcp(), .ca = {}, .token = "secret"});
  }
  void serve(std::string body, std::string type = "application/json", int status = 200) {
    serve(http::Response{.status = status, .headers = {{"Content-Type", std::move(type)}}, .body = std::move(body)});
  }
  Result<model::RegistryReply> ask(model::RegistryCall call, Duration limit = 3s) {
    std::optional<Result<model::RegistryReply>> answer;
    consul_->call(std::move(call), in(limit), [&answer](auto outcome) { answer = std::move(outcome); });
    EXPECT_FALSE(answer) << "not inside the call";
    EXPECT_TRUE(eventually([&answer] { return answer.has_value(); }));
    return answer.value_or(fail(Code::Internal, "no answer"));
  }

  std::optional<ConsulRegistry> consul_;
};

TEST_F(ConsulRegistryTest, registers_an_entry_with_both_checks_and_the_token) {
  serve("");
  ASSERT_TRUE(ask(model::RegisterEntry{entry()}));
  ASSERT_THAT(requests, SizeIs(1));
  auto const& request = requests[0];
  EXPECT_EQ(request.method + " " + request.target, "PUT /v1/agent/service/register?replace-existing-checks=true");
  EXPECT_EQ(request.headers.get("X-Consul-Token"), "secret");
  EXPECT_EQ(*codec::parse_json(request.body), *codec::parse_json(R"({
    "ID": "davit-c-i-80-tcp", "Name": "web", "Tags": ["davit", "slot-1"], "Meta": {"cluster": "c", "node_id": "n"},
    "Address": "10.0.0.1", "Port": 20000,
    "Checks": [
      {"CheckID": "davit-c-i-80-tcp:alive", "Name": "davit says that it is ready", "Notes": "davit c n", "TTL": "10s",
       "Status": "passing", "DeregisterCriticalServiceAfter": "1m"},
      {"CheckID": "davit-c-i-80-tcp:probe", "Name": "GET /ok", "Interval": "1s500ms", "Timeout": "1s", "Status": "passing",
       "FailuresBeforeCritical": 2, "HTTP": "http://10.0.0.1:20000/ok"}]})"));
}

TEST_F(ConsulRegistryTest, asks_for_a_connection_where_the_spec_does) {
  serve("");
  auto with_tcp = entry();
  with_tcp.address = "fd00::1";
  with_tcp.check->path.reset();
  ASSERT_TRUE(ask(model::RegisterEntry{with_tcp}));
  EXPECT_THAT(requests[0].body, AllOf(HasSubstr(R"("TCP":"[fd00::1]:20000")"), Not(HasSubstr("HTTP"))));
}

TEST_F(ConsulRegistryTest, feeds_and_deregisters) {
  serve("");
  EXPECT_TRUE(ask(model::FeedEntry{"davit-a"}));
  EXPECT_TRUE(ask(model::DeregisterEntry{"davit-a"}));
  EXPECT_TRUE(ask(model::EraseSpread{"host1", "davit-a"}));
  EXPECT_EQ(requests[0].target, "/v1/agent/check/pass/davit-a%3Aalive");
  EXPECT_EQ(requests[1].target, "/v1/agent/service/deregister/davit-a");
  EXPECT_EQ(requests[2].target + requests[2].body, R"(/v1/catalog/deregister{"Node":"host1","ServiceID":"davit-a"})");
}

TEST_F(ConsulRegistryTest, lists_what_is_there) {
  serve(R"({"davit-a": {"ID": "davit-a", "Service": "web", "Tags": ["t"], "Meta": {"k": "v"}, "Port": 80, "Address": "10.0.0.1",
            "Weights": {"Passing": 1}}, "odd": 7})");
  auto const reply = ask(model::ListEntries{{{9}, {5}, "instance"}});
  ASSERT_TRUE(reply) << reply.error().message;
  model::RegistryEntry const expected{
      .id = "davit-a", .service = "web", .address = "10.0.0.1", .port = 80, .tags = {"t"}, .meta = {{"k", "v"}}};
  EXPECT_THAT(std::get<model::RegistryEntries>(*reply).all, ElementsAre(expected, model::RegistryEntry{}));
  EXPECT_EQ(requests[0].query, (http::Query{{"filter", fmt::format("Meta.cluster == \"{}\" and Meta.node_id == \"{}\"",
                                                                   to_string(ClusterId{9}), to_string(NodeId{5}))}}));
}

TEST_F(ConsulRegistryTest, finds_a_service_also_by_its_hosts_address) {
  serve(R"([{"Node": {"Address": "10.0.0.7"}, "Service": {"ID": "etcd", "Address": "", "Port": 2379}},
            {"Node": {"Address": "10.0.0.8"}, "Service": {"ID": "m", "Address": "10.1.0.8", "Port": 4821, "Meta": {"cluster": "c"}}},
            {"Node": {}, "Service": {"ID": "broken"}}])");
  auto const reply = ask(model::FindService{"davit-master"});
  ASSERT_TRUE(reply);
  auto const& all = std::get<model::RegistryEntries>(*reply).all;
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].address, "10.0.0.7");
  EXPECT_EQ(all[1].address, "10.1.0.8");
  EXPECT_EQ(requests[0].target, "/v1/health/service/davit-master?passing=1");
}

TEST_F(ConsulRegistryTest, tells_of_which_entries_the_agent_lives) {
  auto const mark = fmt::format("davit {} {}", to_string(ClusterId{9}), to_string(NodeId{5}));
  serve(fmt::format(
      R"([{{"Node": "h1", "CheckID": "serfHealth", "Status": "passing"}}, {{"Node": "h2", "CheckID": "serfHealth", "Status": "critical"}},
                        {{"Node": "h1", "CheckID": "x", "Notes": "{0}", "ServiceID": "a"}}, {{"Node": "h2", "CheckID": "y", "Notes": "{0}", "ServiceID": "b"}},
                        {{"Node": "h3", "CheckID": "z", "Notes": "{0}", "ServiceID": "c"}}, {{"Node": "h1", "Notes": "else", "ServiceID": "d"}}])",
      mark));
  auto const reply = ask(model::FindSpread{{9}, {5}});
  ASSERT_TRUE(reply);
  EXPECT_THAT(std::get<model::SpreadEntries>(*reply).all,
              ElementsAre(model::SpreadEntry{"h1", "a", true}, model::SpreadEntry{"h2", "b", false}, model::SpreadEntry{"h3", "c", false}));
}

TEST_F(ConsulRegistryTest, knows_an_entry_that_is_not_there_in_every_version) {
  for (auto const& [status, body] : std::vector<std::pair<int, std::string>>{
           {404, "Unknown check ID \"a:alive\". Ensure that the check ID is passed, not the check name."},
           {500, "CheckID \"a:alive\" does not have associated TTL check"},
           {404, "Unknown service ID \"a\". Ensure that the service ID is passed, not the service name."}}) {
    serve(body, "text/plain", status);
    auto const reply = ask(model::FeedEntry{"a"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::NotFound) << body;
    end();
  }
}

TEST_F(ConsulRegistryTest, tells_trouble_with_one_entry_from_its_own_absence) {
  serve("leadership lost while committing log", "text/plain", 500);
  EXPECT_EQ(ask(model::RegisterEntry{entry()}).error().code, Code::Internal);
}

TEST_F(ConsulRegistryTest, says_what_to_do_about_a_refusal) {
  serve("Permission denied: token with AccessorID 'x' lacks permission 'service:write' on \"web\"", "text/plain", 403);
  auto const reply = ask(model::RegisterEntry{entry()});
  EXPECT_EQ(reply.error().code, Code::Invalid);
  EXPECT_THAT(reply.error().message, AllOf(HasSubstr("lacks permission"), HasSubstr("--consul-token-file"), Not(HasSubstr("secret"))));
}

TEST_F(ConsulRegistryTest, knows_what_is_no_consul) {
  struct Case {
    std::string body, type;
    int status;
  };
  for (auto const& [body, type, status] :
       {Case{"<html>Welcome</html>", "text/html; charset=utf-8", 200}, Case{"<html>Not found</html>", "text/html", 404},
        Case{"hello", "text/plain", 200}, Case{"[]", "application/json", 200}, Case{"{\"a\":", "application/json", 200},
        Case{std::string(100, '['), "application/json", 200}, Case{"404 page not found", "text/plain", 404}, Case{"", "text/plain", 204},
        Case{"bad gateway", "text/plain", 502}}) {
    serve(body, type, status);
    auto const reply = ask(model::ListEntries{{{9}, {5}, "instance"}});
    ASSERT_FALSE(reply) << body;
    EXPECT_EQ(reply.error().code, Code::Unavailable) << body;
    EXPECT_THAT(reply.error().message, HasSubstr(fmt::format("127.0.0.1:{}", port))) << body;
    if (status == 200) EXPECT_THAT(reply.error().message, HasSubstr("is --consul the address of a Consul agent?")) << body;
    end();
  }
}

TEST_F(ConsulRegistryTest, reads_no_more_than_consul_could_have_to_say) {
  serve(std::string(40 << 20, ' '));
  auto const reply = ask(model::ListEntries{{{9}, {5}, "instance"}});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("more than Consul has to say"));
}

TEST_F(ConsulRegistryTest, waits_for_an_answer_until_the_deadline_and_no_longer) {
  options.handler = [this](http::Request, http::ResponseWriter&) -> boost::asio::awaitable<void> { co_await more.async_wait(); };
  start();
  consul_.emplace(loop, ConsulAddress{.endpoint = tcp(), .ca = {}, .token = {}});
  auto const reply = ask(model::FeedEntry{"a"}, 50ms);
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("does not answer in time"));
}

TEST_F(ConsulRegistryTest, says_who_is_not_there) {
  serve("");
  stop_server();
  auto const reply = ask(model::FeedEntry{"a"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::Unavailable);
  EXPECT_THAT(reply.error().message,
              AllOf(HasSubstr(fmt::format("Consul at http://127.0.0.1:{} does not answer", port)), HasSubstr("refused")));
}

}  // namespace
}  // namespace davit::registry_consul
