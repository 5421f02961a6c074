#include "core/ingress/balancer.hpp"

#include "base/check.hpp"

namespace davit::ingress {

Balancer::Rank Balancer::rank_of(Entry const& entry) {
  return {entry.rests_until != Monotonic::min(), !entry.backend.is_local, entry.connections, entry.last_turn, entry.backend.instance};
}

template <class Change>
void Balancer::change(Entry& entry, Change const& apply) {
  order_.erase(rank_of(entry));
  apply();
  if (entry.is_listed) order_.insert(rank_of(entry));
}

void Balancer::end_rest(Entry& entry) {
  if (entry.rests_until == Monotonic::min()) return;
  rests_.erase({entry.rests_until, entry.backend.instance});
  change(entry, [&entry] { entry.rests_until = Monotonic::min(); });
}

void Balancer::set(std::vector<Backend> const& backends) {
  std::set<InstanceId> listed;
  for (auto const& backend : backends) {
    listed.insert(backend.instance);
    auto [found, is_new] = entries_.try_emplace(backend.instance, Entry{.backend = backend, .is_listed = false});
    auto& entry = found->second;
    if (entry.backend != backend) end_rest(entry);
    change(entry, [&] {
      entry.backend = backend;
      entry.is_listed = true;
    });
  }
  for (auto each = entries_.begin(); each != entries_.end();) {
    auto& entry = each->second;
    if (listed.contains(each->first)) {
      ++each;
      continue;
    }
    end_rest(entry);
    change(entry, [&entry] { entry.is_listed = false; });
    each = entry.connections == 0 ? entries_.erase(each) : std::next(each);
  }
}

std::optional<Backend> Balancer::choose(std::set<InstanceId> const& tried, Monotonic now) {
  while (!rests_.empty() && rests_.begin()->first <= now) end_rest(entries_.at(rests_.begin()->second));
  for (auto const& rank : order_) {
    auto const instance = std::get<InstanceId>(rank);
    if (tried.contains(instance)) continue;
    auto& entry = entries_.at(instance);
    change(entry, [&] {
      entry.last_turn = ++turns_;
      ++entry.connections;
    });
    ++total_;
    return entry.backend;
  }
  return std::nullopt;
}

void Balancer::release(InstanceId instance) {
  auto const found = entries_.find(instance);
  CHECK(found != entries_.end() && found->second.connections > 0, "instance {} has no connection", to_string(instance));
  auto& entry = found->second;
  --total_;
  change(entry, [&entry] { --entry.connections; });
  if (!entry.is_listed && entry.connections == 0) entries_.erase(found);
}

void Balancer::refused(InstanceId instance, Monotonic now) {
  auto const found = entries_.find(instance);
  if (found == entries_.end() || !found->second.is_listed) return;
  auto& entry = found->second;
  end_rest(entry);
  change(entry, [&] { entry.rests_until = now + kRestAfterRefusal; });
  rests_.insert({entry.rests_until, instance});
}

bool Balancer::is_listed(InstanceId instance) const {
  auto const found = entries_.find(instance);
  return found != entries_.end() && found->second.is_listed;
}

std::size_t Balancer::connections(InstanceId instance) const {
  auto const found = entries_.find(instance);
  return found == entries_.end() ? 0 : found->second.connections;
}

}  // namespace davit::ingress
