// What goes wrong, and what puts it right again.
#include <algorithm>

#include <fmt/core.h>

#include "sim/scenario/commands.hpp"

namespace davit::sim {
namespace {

// For each named machine: on_master for masters, on_agent for workers.
template <class OnMaster, class OnAgent>
Status each_process(Stage& stage, Words const& words, OnMaster const& on_master, OnAgent const& on_agent) {
  if (words.size() < 2) return wrong(words, fmt::format("{} MASTER|WORKER …", words[0]));
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (auto const master = stage.master(words[i])) {
      on_master(**master);
      continue;
    }
    TRY(auto* agent, stage.agent(words[i]));
    on_agent(*agent);
  }
  return {};
}

// ---- processes

Status kill(Stage& stage, Words const& words) {
  return each_process(stage, words, [](auto& master) { master.crash(); }, [](auto& agent) { agent.crash(); });
}
Status start(Stage& stage, Words const& words) {
  return each_process(stage, words, [](auto& master) { master.start(); }, [](auto& agent) { agent.start(); });
}
Status restart(Stage& stage, Words const& words) {
  TRY_VOID(kill(stage, words));
  return start(stage, words);
}

// As SIGTERM does: its shards go to others first.
Status stop(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "stop MASTER");
  TRY(auto* master, stage.master(words[1]));
  master->leave();
  return {};
}

Status pause(Stage& stage, Words const& words) {
  if (words.size() < 2 || words.size() > 3) return wrong(words, "pause MASTER|WORKER [TIME]");
  TRY(auto* machine, stage.machine(words[1]));
  auto* process = machine->process();
  if (!process) return fail(Code::Invalid, "there is no process to pause");
  process->pause();
  if (words.size() < 3) return {};
  TRY(auto const lasts, parse_duration(words[2]));
  stage.cluster().delays().after(lasts, [&stage, process, name = machine->name()] {
    stage.story().on_command(fmt::format("({} wakes)", name));
    process->resume();
  });
  return {};
}

Status resume(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "resume MASTER|WORKER");
  TRY(auto* machine, stage.machine(words[1]));
  if (auto* process = machine->process()) process->resume();
  return {};
}

Status suspend(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "suspend MASTER|WORKER");
  TRY(auto* machine, stage.machine(words[1]));
  machine->suspend();
  return {};
}
Status wake(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "wake MASTER|WORKER");
  TRY(auto* machine, stage.machine(words[1]));
  machine->wake();
  return {};
}

// The machine loses its power: processes and containers end, nothing is sent any more.
Status power_off(Stage& stage, Words const& words) {
  return each_process(
      stage, words,
      [&](MasterNode& master) {
        stage.cluster().network().isolate(master.machine().host(), true);
        master.crash();
      },
      [](AgentNode& agent) { agent.lose_power(); });
}
Status power_on(Stage& stage, Words const& words) {
  return each_process(
      stage, words,
      [&](MasterNode& master) {
        stage.cluster().network().isolate(master.machine().host(), false);
        master.start();
      },
      [](AgentNode& agent) { agent.boot(); });
}

Status lose_state(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "lose-state WORKER");
  TRY(auto* agent, stage.agent(words[1]));
  agent->lose_state();
  return {};
}

Status guard(Stage& stage, Words const& words) {
  if (words.size() != 3) return wrong(words, "guard dies|starts WORKER");
  TRY(auto* agent, stage.agent(words[2]));
  if (words[1] == "dies") agent->crash_guard();
  else if (words[1] == "starts") agent->start_guard();
  else return wrong(words, "guard dies|starts WORKER");
  return {};
}

// ---- network

Status cut(Stage& stage, Words const& words) {
  bool const is_one_way = words.size() == 4 && words[2] == "->";
  if (words.size() != 3 && !is_one_way) return wrong(words, "cut A B, or cut A -> B");
  TRY(auto const a, stage.host(words[1]));
  TRY(auto const b, stage.host(words.back()));
  stage.cuts().emplace_back(a, b);
  if (!is_one_way) stage.cuts().emplace_back(b, a);
  stage.cluster().network().cut(a, b);
  if (!is_one_way) stage.cluster().network().cut(b, a);
  return {};
}

// These from all others; among themselves they still speak.
Status isolate(Stage& stage, Words const& words) {
  std::vector<HostId> inside;
  for (std::size_t i = 1; i < words.size(); ++i) {
    TRY(auto const host, stage.host(words[i]));
    inside.push_back(host);
  }
  for (auto const outer : stage.all_hosts()) {
    if (std::ranges::count(inside, outer) > 0) continue;
    for (auto const inner : inside) {
      stage.cuts().emplace_back(inner, outer);
      stage.cuts().emplace_back(outer, inner);
      stage.cluster().network().cut(inner, outer);
      stage.cluster().network().cut(outer, inner);
    }
  }
  return {};
}

Status heal(Stage& stage, Words const& words) {
  if (words.size() != 1) return wrong(words, "heal");
  for (auto const& [from, to] : std::exchange(stage.cuts(), {})) stage.cluster().network().heal(from, to);
  return {};
}

// ---- stores and sessions

Status store(Stage& stage, Words const& words) {
  auto& cluster = stage.cluster().store();
  if (words.size() == 2 && words[1] == "elects") cluster.change_leader(false);
  else if (words.size() == 2 && words[1] == "fills-up") cluster.data().set_quota(cluster.data().status().size_bytes * 100 / 85);
  else if (words.size() == 2 && words[1] == "full") cluster.data().set_full(true);
  else if (words.size() == 2 && words[1] == "has-space") cluster.data().set_full(false), cluster.data().set_quota(0);
  else if (words.size() == 3) {
    TRY(auto* member, stage.member(words[2]));
    if (words[1] == "down") member->go_down();
    else if (words[1] == "up") member->come_up();
    else return wrong(words, "store down|up STORE");
  } else return wrong(words, "store elects|fills-up|full|has-space, or store down|up STORE");
  return {};
}

// Before its time, as etcd may lose one.
Status lose_lease(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "lose-lease MASTER");
  TRY(auto const* master, stage.master(words[1]));
  auto& data = stage.cluster().store().data();
  TRY(auto const found, data.range({.prefix = model::master_key(const_cast<MasterNode*>(master)->machine().id()), .after = {}}));
  if (found.items.empty()) return fail(Code::NotFound, "it has no session");
  return data.revoke_lease(found.items.front().lease);
}

// ---- engines and containers

Status engine(Stage& stage, Words const& words) {
  if (words.size() != 3) return wrong(words, "engine away|crashes|starts|hangs|thaws|slow|fast WORKER");
  TRY(auto* agent, stage.agent(words[2]));
  if (words[1] == "away") agent->stop_engine(FakeDocker::Fate::LiveOn);
  else if (words[1] == "crashes") agent->stop_engine(FakeDocker::Fate::Die);
  else if (words[1] == "starts") agent->start_engine();
  else if (words[1] == "hangs") agent->freeze_engine();
  else if (words[1] == "thaws") agent->thaw_engine();
  else if (words[1] == "slow") agent->slow_engine_down(5s);
  else if (words[1] == "fast") agent->slow_engine_down(-5s);
  else return wrong(words, "engine away|crashes|starts|hangs|thaws|slow|fast WORKER");
  return {};
}

Status container(Stage& stage, Words const& words) {
  if (words.size() != 3) return wrong(words, "container ends|vanishes|pauses|resumes SERVICE.SLOT");
  for (auto const& run : stage.watch().runs()) {
    if (run.to || slot_name(run) != words[2]) continue;
    TRY(auto* agent, stage.agent(run.node));
    if (words[1] == "ends") agent->engine().kill(run.container, 137);
    else if (words[1] == "vanishes") agent->engine().remove(run.container);
    else if (words[1] == "pauses") agent->engine().pause(run.container, true);
    else if (words[1] == "resumes") agent->engine().pause(run.container, false);
    else return wrong(words, "container ends|vanishes|pauses|resumes SERVICE.SLOT");
    return {};
  }
  return fail(Code::NotFound, fmt::format("no container runs for {}", words[2]));
}

constexpr Verb kVerbs[] = {{"kill", kill},
                           {"start", start},
                           {"restart", restart},
                           {"stop", stop},
                           {"pause", pause},
                           {"resume", resume},
                           {"suspend", suspend},
                           {"wake", wake},
                           {"power-off", power_off},
                           {"power-on", power_on},
                           {"cut", cut},
                           {"isolate", isolate},
                           {"heal", heal},
                           {"store", store},
                           {"lose-lease", lose_lease},
                           {"lose-state", lose_state},
                           {"guard", guard},
                           {"engine", engine},
                           {"container", container}};

}  // namespace

std::span<Verb const> fault_verbs() { return kVerbs; }

}  // namespace davit::sim
