#include "sim/cluster/cluster.hpp"

#include <fmt/core.h>

#include "base/check.hpp"

namespace davit::sim {
namespace {

constexpr std::uint64_t kFirstMaster = 101;
constexpr std::uint64_t kFirstAgent = 201;

}  // namespace

Cluster::Cluster(VirtualLoop& loop, Size size, Random random, Observer& observer, cluster::DowningPolicy downing)
    : random_(random),
      downing_(downing),
      network_(loop, random.fork("network")),
      delays_(loop),
      store_(network_, directory_, random.fork("store"), observer, size.stores) {
  Surroundings const around{network_, directory_, delays_, observer};
  std::vector<model::MasterAddress> addresses;
  for (std::size_t i = 0; i < size.masters; ++i) {
    auto const name = fmt::format("m{}", i + 1);
    masters_.push_back(std::make_unique<MasterNode>(around, name, NodeId{kFirstMaster + i}, random.fork(name), store_, downing_));
    addresses.push_back({masters_.back()->machine().id(), masters_.back()->address()});
  }
  for (std::size_t i = 0; i < size.agents; ++i) {
    auto const name = fmt::format("w{}", i + 1);
    agents_.push_back(std::make_unique<AgentNode>(around, name, NodeId{kFirstAgent + i}, random.fork(name), addresses));
    add_strangers(*agents_.back());
  }
}

// A container of somebody's, one made of ours by `docker commit`, and one of another cluster on the same machine.
void Cluster::add_strangers(AgentNode& agent) {
  auto const labels = [&](std::string const& name) {
    return std::map<std::string, std::string>{{"davit.cluster", "000000000001"},
                                              {"davit.node", to_string(agent.machine().id())},
                                              {"davit.name", name},
                                              {"davit.service", "s1"},
                                              {"davit.uid", "1-1"},
                                              {"davit.slot", "1"},
                                              {"davit.instance", "000000000001"},
                                              {"davit.revision", "1"},
                                              {"davit.epoch", "1-1"},
                                              {"davit.attempt", "1"}};
  };
  auto const name = [](std::string_view what) { return fmt::format("{}-{}", kForeign, what); };
  agent.engine().add_foreign(name("plain"), {}, {20000});
  agent.engine().add_foreign(name("copy"), labels("s1.1.000000000001"));
  agent.engine().add_foreign(name("cluster"), labels(name("cluster")));
}

void Cluster::start() {
  start_all([this] { return random_.between(0ns, Duration(1s)); });
}

void Cluster::start_by_and_by(Duration last_join) {
  for (auto& agent : agents_) agent->share();
  start_all([&] { return random_.between(0ns, random_.one_in(8) ? last_join : Duration(1s)); });
}

void Cluster::start_all(std::function<Duration()> const& draw_moment) {
  for (auto& master : masters_) delays_.after(draw_moment(), [&master = *master] { master.start(); });
  for (auto& agent : agents_) delays_.after(draw_moment(), [&agent = *agent] { agent.start(); });
}

AgentNode& Cluster::agent(NodeId id) {
  CHECK(id.value >= kFirstAgent && id.value < kFirstAgent + agents_.size());
  return *agents_[id.value - kFirstAgent];
}

std::vector<Machine*> Cluster::machines() {
  std::vector<Machine*> machines;
  for (auto& master : masters_) machines.push_back(&master->machine());
  for (auto& agent : agents_) machines.push_back(&agent->machine());
  return machines;
}

std::vector<std::string> Cluster::pending() const {
  std::vector<std::string> reasons;
  auto const add = [&](Machine const& machine, auto const* process) {
    if (!process) return reasons.push_back(machine.name() + ": its process does not run");
    for (auto const& reason : process->pending()) reasons.push_back(fmt::format("{}: {}", machine.name(), reason));
  };
  for (auto const& master : masters_) add(master->machine(), master->master());
  for (auto const& agent : agents_) add(agent->machine(), agent->agent());
  return reasons;
}

}  // namespace davit::sim
