#include "model/directory.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace davit::model {
namespace {

using Of = ServiceChange::OfInstance;

auto place_of(Endpoint const& endpoint) { return std::tuple(endpoint.slot, endpoint.instance); }

// One after the other, as the endpoints are sorted.
std::vector<Of> by_instance(std::vector<Endpoint> const& endpoints) {
  std::vector<Of> all;
  for (auto const& endpoint : endpoints) {
    if (all.empty() || all.back().instance != endpoint.instance) all.push_back({endpoint.instance, {}});
    all.back().endpoints.push_back(endpoint);
  }
  return all;
}

bool comes_before(Of const& a, Of const& b) { return place_of(a.endpoints.front()) < place_of(b.endpoints.front()); }

std::vector<Of> changes_between(std::vector<Of> const& before, std::vector<Of> const& after) {
  std::vector<Of> changes;
  auto old = before.begin();
  for (auto const& now : after) {
    for (; old != before.end() && comes_before(*old, now); ++old) changes.push_back({old->instance, {}});
    bool const was_there = old != before.end() && old->instance == now.instance;
    if (!was_there || *old != now) changes.push_back(now);
    if (was_there) ++old;
  }
  for (; old != before.end(); ++old) changes.push_back({old->instance, {}});
  return changes;
}

}  // namespace

std::optional<ServiceChange> difference(std::string const& name, ServiceEntry const* before, ServiceEntry const& after) {
  ServiceChange change{.name = name, .instances = {}, .ingress = {}};
  change.instances = changes_between(before ? by_instance(before->endpoints) : std::vector<Of>{}, by_instance(after.endpoints));
  if (!before || before->ingress != after.ingress) change.ingress = after.ingress;
  if (change.instances.empty() && !change.ingress) return std::nullopt;
  return change;
}

std::vector<NodeChange> difference(decltype(Directory::nodes) const& before, decltype(Directory::nodes) const& after) {
  std::vector<NodeChange> changes;
  for (auto const& [name, address] : before) {
    if (!after.contains(name)) changes.push_back({name, {}});
  }
  for (auto const& [name, address] : after) {
    auto const known = before.find(name);
    if (known == before.end() || known->second != address) changes.push_back({name, address});
  }
  return changes;
}

// The entry may be in others' hands, so it is made anew.
void apply(Directory& directory, ServiceChange const& change) {
  if (change.is_gone) {
    directory.services.erase(change.name);
    return;
  }
  auto& known = directory.services[change.name];
  auto entry = known ? *known : ServiceEntry{};
  std::vector<InstanceId> changed;
  std::vector<Endpoint> added;
  for (auto const& each : change.instances) {
    changed.push_back(each.instance);
    added.insert(added.end(), each.endpoints.begin(), each.endpoints.end());
  }
  std::ranges::sort(changed);
  std::erase_if(entry.endpoints, [&](Endpoint const& endpoint) { return std::ranges::binary_search(changed, endpoint.instance); });
  std::vector<Endpoint> merged;
  merged.reserve(entry.endpoints.size() + added.size());
  std::ranges::merge(entry.endpoints, added, std::back_inserter(merged), {}, place_of, place_of);
  entry.endpoints = std::move(merged);
  if (change.ingress) entry.ingress = *change.ingress;
  known = std::make_shared<ServiceEntry const>(std::move(entry));
}

void apply(Directory& directory, NodeChange const& change) {
  if (change.address.empty()) directory.nodes.erase(change.name);
  else directory.nodes[change.name] = change.address;
}

}  // namespace davit::model
