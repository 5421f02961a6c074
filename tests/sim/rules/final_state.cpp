#include "sim/rules/final_state.hpp"

#include <map>
#include <set>

#include <fmt/core.h>

namespace davit::sim {
namespace {

struct Running {
  std::string where;
  std::string revision;
};

std::string label_of(model::ContainerDetail const& container, char const* key) {
  auto const found = container.labels.find(key);
  return found == container.labels.end() ? std::string{} : found->second;
}

// Of what runs, the ids by service.
std::map<std::string, std::set<std::string>> running_by_service(Cluster const& cluster) {
  std::map<std::string, std::set<std::string>> ids;
  for (auto const& agent : cluster.agents()) {
    for (auto const& [id, container] : agent->engine().containers()) {
      auto const& detail = container.detail;
      if (detail.name.starts_with(kForeign) || detail.state != model::ContainerState::Running) continue;
      ids[label_of(detail, "davit.service")].insert(label_of(detail, "davit.instance"));
    }
  }
  return ids;
}

// Each node knows each service, and where its instances are.
void append_unknown(Cluster const& cluster, JournalRule const& journals, std::vector<std::string>& texts) {
  auto const running = running_by_service(cluster);
  for (auto const& agent : cluster.agents()) {
    auto const* directory = agent->agent() ? agent->agent()->directory() : nullptr;
    auto const& name = agent->machine().name();
    if (!directory) {
      texts.push_back(fmt::format("{} knows no directory", name));
      continue;
    }
    for (auto const& [service, head] : journals.heads()) {
      auto const entry = directory->services.find(service);
      if (entry == directory->services.end()) {
        texts.push_back(fmt::format("{} does not know service {}", name, service));
        continue;
      }
      std::set<std::string> known;
      for (auto const& endpoint : entry->second->endpoints) known.insert(to_string(endpoint.instance));
      auto const found = running.find(service);
      auto const wanted = head.spec()->ports.empty() || found == running.end() ? std::set<std::string>{} : found->second;
      if (known != wanted) texts.push_back(fmt::format("{} knows other endpoints of {} than there are", name, service));
    }
    for (auto const& [service, entry] : directory->services) {
      if (!journals.heads().contains(service)) texts.push_back(fmt::format("{} knows service {}, which is gone", name, service));
    }
    if (directory->nodes.size() != cluster.agents().size())
      texts.push_back(fmt::format("{} knows {} nodes of {}", name, directory->nodes.size(), cluster.agents().size()));
  }
}

// Each agent has the spec as it is now: what needs no new container has come to it all the same.
void append_outdated(Cluster const& cluster, JournalRule const& journals, std::vector<std::string>& texts) {
  for (auto const& agent : cluster.agents()) {
    if (!agent->agent()) continue;
    for (auto const& [id, instance] : agent->agent()->instances()) {
      auto const head = journals.heads().find(instance.identity.service);
      if (head == journals.heads().end() || head->second.uid != instance.identity.uid) continue;
      auto const kept = head->second.revisions.find(instance.identity.revision);
      if (kept == head->second.revisions.end()) continue;
      auto wanted = *kept->second.spec;
      if (instance.spec) wanted.instances = instance.spec->instances;  // which is no affair of one instance
      if (!instance.spec || *instance.spec != wanted)
        texts.push_back(fmt::format("{} knows another spec of {} than there is", agent->machine().name(), head->first));
    }
  }
}

}  // namespace

std::vector<std::string> differences(Cluster const& cluster, JournalRule const& journals) {
  std::vector<std::string> texts;
  std::map<std::pair<std::string, std::string>, std::vector<Running>> running;  // by uid and slot
  for (auto const& agent : cluster.agents()) {
    std::set<std::string> alive;
    for (auto const& [id, container] : agent->engine().containers()) {
      auto const& detail = container.detail;
      if (detail.name.starts_with(kForeign) || detail.state != model::ContainerState::Running) continue;
      alive.insert(label_of(detail, "davit.instance"));
      running[{label_of(detail, "davit.uid"), label_of(detail, "davit.slot")}].push_back(
          {fmt::format("{} on {}", detail.name, agent->machine().name()), label_of(detail, "davit.revision")});
    }
    for (auto const& [id, container] : agent->engine().containers()) {
      auto const& detail = container.detail;
      bool const is_ours = !detail.name.starts_with(kForeign);
      if (is_ours && detail.state != model::ContainerState::Running && !alive.contains(label_of(detail, "davit.instance")))
        texts.push_back(fmt::format("{} on {} is left over", detail.name, agent->machine().name()));
    }
  }
  for (auto const& [name, head] : journals.heads()) {
    for (std::int64_t slot = 1; slot <= head.spec()->instances; ++slot) {
      auto const found = running.extract({to_string(head.uid), std::to_string(slot)});
      if (!found) {
        texts.push_back(fmt::format("nothing runs for {}.{}", name, slot));
        continue;
      }
      auto const& all = found.mapped();
      if (all.size() > 1) texts.push_back(fmt::format("{} and {} run for one slot", all[0].where, all[1].where));
      if (all[0].revision != std::to_string(head.revision))
        texts.push_back(fmt::format("{} runs at revision {}, not {}", all[0].where, all[0].revision, head.revision));
    }
  }
  append_unknown(cluster, journals, texts);
  append_outdated(cluster, journals, texts);
  for (auto const& [key, all] : running) texts.push_back(fmt::format("{} runs, and nobody wants it", all[0].where));
  return texts;
}

}  // namespace davit::sim
