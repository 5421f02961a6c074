// What the agent has in the registry at each stage of an instance's life.
#include "core/agent/agent_harness.hpp"

namespace davit::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RegisteringTest : public AgentTest {
 protected:
  RegisteringTest() {
    has_registry_ = true;
    start_agent();
  }
  model::RunInstance order(std::vector<model::PortSpec> ports = {{.target = 80}}) {
    auto run = offer(0);
    auto spec = std::make_shared<model::ServiceSpec>(*run.spec);
    spec->ports = std::move(ports);
    spec->drain_delay = 2s;
    change_(*spec);
    run.spec = spec;
    run.service = "my_web";
    run.revision = 3;
    return run;
  }
  std::string id(std::string const& port) const {
    return "davit-" + to_string(ClusterId{9}) + "-" + to_string(InstanceId{77}) + "-" + port;
  }
  model::RegistryEntry const& only() {
    EXPECT_THAT(registered_, SizeIs(1));
    return registered_.begin()->second;
  }
  void set_state(model::ContainerState state) {
    for (auto& [container, detail] : containers_) {
      detail.state = state;
      step(EngineHinted{model::ContainerTouched{container}});
    }
  }

  std::function<void(model::ServiceSpec&)> change_ = [](auto&) {};
};

TEST_F(RegisteringTest, registers_the_published_ports_of_a_ready_instance) {
  tell(order({{.target = 80}, {.name = "admin", .target = 81}, {.target = 53, .protocol = model::Protocol::Udp}}));
  auto const& web = registered_.at(id("80-tcp"));
  EXPECT_EQ(web.service, "my-web");
  EXPECT_EQ(web.address, "10.0.0.1");
  EXPECT_EQ(web.port, 20000);
  EXPECT_THAT(web.tags, ElementsAre("davit", "tcp", "slot-1", "revision-3"));
  std::map<std::string, std::string> const meta{{"cluster", to_string(ClusterId{9})},
                                                {"node", "n1"},
                                                {"node_id", to_string(NodeId{5})},
                                                {"service", "my_web"},
                                                {"slot", "1"},
                                                {"revision", "3"},
                                                {"instance", to_string(InstanceId{77})},
                                                {"kind", "instance"}};
  EXPECT_EQ(web.meta, meta);
  EXPECT_EQ(registered_.at(id("81-tcp")).service, "my-web-admin");
  EXPECT_EQ(registered_.at(id("53-udp")).service, "my-web-53");
  EXPECT_THAT(registered_, SizeIs(3));
}

TEST_F(RegisteringTest, registers_nothing_without_a_port_or_of_one_that_only_the_node_can_reach) {
  tell(order({}));
  EXPECT_THAT(registered_, IsEmpty());
  tell(stop(0));
  pass(3s);
  tell(order({{.target = 80, .host_ip = "127.0.0.1"}, {.target = 81, .host_ip = "192.168.0.1"}}));
  EXPECT_EQ(only().address, "192.168.0.1");
}

TEST_F(RegisteringTest, has_consul_probe_as_the_spec_does_through_the_published_port) {
  change_ = [](model::ServiceSpec& spec) {
    spec.healthcheck = model::Healthcheck{.http = model::HttpProbe{.port = 80, .path = "/ok"}, .interval = 7s, .timeout = 2s, .retries = 4};
    spec.network_mode = "host";
  };
  tell(order({{.target = 80}, {.target = 81}}));
  EXPECT_THAT(registered_, IsEmpty()) << "it has not passed its probe";
  auto const probe = probe_op_;
  step(Probed{probe, {}});
  ASSERT_THAT(registered_, SizeIs(2));
  EXPECT_EQ(registered_.at(id("80-tcp")).check, (model::RegistryCheck{.path = "/ok", .interval = 7s, .timeout = 2s, .retries = 4}));
  EXPECT_FALSE(registered_.at(id("81-tcp")).check);
}

TEST_F(RegisteringTest, takes_out_at_once_what_is_not_ready_and_brings_it_back) {
  tell(order());
  EXPECT_THAT(registered_, SizeIs(1));
  set_state(model::ContainerState::Paused);
  EXPECT_THAT(registered_, IsEmpty());
  set_state(model::ContainerState::Running);
  EXPECT_THAT(registered_, SizeIs(1));
  set_state(model::ContainerState::Exited);
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(registered_, IsEmpty());
}

TEST_F(RegisteringTest, drains_for_its_delay_from_when_it_is_out) {
  tell(order());
  is_registry_silent_ = true;
  tell(stop(0));
  pass(500ms);
  EXPECT_THAT(graces_, IsEmpty());
  EXPECT_THAT(registered_, SizeIs(1));
  pass(2400ms);
  EXPECT_THAT(graces_, IsEmpty()) << "a second for the registry, and two for clients";
  pass(200ms);
  EXPECT_THAT(graces_, SizeIs(1)) << "a registry that says nothing keeps nobody from stopping";
}

TEST_F(RegisteringTest, goes_out_before_it_drains) {
  tell(order());
  tell(stop(0));
  EXPECT_THAT(registered_, IsEmpty());
  pass(1900ms);
  EXPECT_THAT(graces_, IsEmpty());
  pass(200ms);
  EXPECT_THAT(graces_, SizeIs(1));
  EXPECT_THAT(containers_, IsEmpty());
}

TEST_F(RegisteringTest, leaves_the_entries_of_what_it_adopts_as_they_are) {
  tell(order());
  auto const before = registered_;
  auto orphan = before.begin()->second;
  orphan.id = id("9-tcp");
  orphan.meta["instance"] = "gone";
  registered_[orphan.id] = orphan;
  agent_.emplace(Options{.facts = {.name = "n1", .address = "10.0.0.1"}, .has_registry = true}, durable_);
  step(EngineHinted{model::EngineUp{}});
  pass(20s);
  EXPECT_EQ(registered_, before) << "what no container stands for is gone, and no master was needed";
  step(MasterJoined{kMaster});
  tell(model::FenceShards{.round = 2, .fences = {kFence}});
  tell(order());
  pass(20s);
  EXPECT_EQ(registered_, before);
  EXPECT_EQ(registrations_, 1) << "none was written again";
}

TEST_F(RegisteringTest, drains_what_it_adopted_also_when_nobody_has_confirmed_it) {
  tell(order());
  agent_.emplace(Options{.facts = {.name = "n1", .address = "10.0.0.1"}, .has_registry = true}, durable_);
  step(EngineHinted{model::EngineUp{}});
  step(MasterJoined{kMaster});
  tell(model::FenceShards{.round = 2, .fences = {kFence}});
  tell(stop(0));
  EXPECT_THAT(registered_, IsEmpty());
  pass(1900ms);
  EXPECT_THAT(graces_, IsEmpty()) << "clients still use it";
  pass(1200ms);
  EXPECT_THAT(graces_, SizeIs(1));
  EXPECT_THAT(containers_, IsEmpty());
}

TEST_F(RegisteringTest, leaves_what_it_adopts_until_it_has_probed_it) {
  change_ = [](model::ServiceSpec& spec) {
    spec.healthcheck = model::Healthcheck{.http = model::HttpProbe{.port = 80}};
    spec.network_mode = "host";
  };
  tell(order());
  step(Probed{probe_op_, {}});
  EXPECT_THAT(registered_, SizeIs(1));
  agent_.emplace(Options{.facts = {.name = "n1", .address = "10.0.0.1"}, .has_registry = true}, durable_);
  step(EngineHinted{model::EngineUp{}});
  EXPECT_THAT(registered_, SizeIs(1)) << "nothing says that it does not serve";
  step(Probed{probe_op_, fail(Code::Unavailable, "503")});
  EXPECT_THAT(registered_, IsEmpty());
}

}  // namespace
}  // namespace davit::agent
