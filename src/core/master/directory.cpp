// The cluster's directory, as this master sees it, told to the agents that follow it here: each agent follows one master.
#include <algorithm>
#include <utility>

#include "core/master/endpoints.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr Duration kTellInterval = 50ms;  // changes within it are told together
constexpr Duration kPace = 10ms;          // between two steps of telling all, so that beats get through
constexpr Duration kUninformedFor = 5s;   // an election of the store's leader is shorter
constexpr std::size_t kInstancesPerStep = 10'000;  // told to one follower; fewer where there are more of them
constexpr std::size_t kLeastPerStep = 100;
constexpr std::size_t kEndpointsPerMessage = 5'000;
constexpr std::size_t kToldPerStep = 5'000;  // to all who have just come, in order of arrival
constexpr std::size_t kNodesPerEndpoint = 4;

model::DirectoryChanged over() { return {.is_over = true, .services = {}, .nodes = {}}; }

}  // namespace

// While most workers are gone they stay listed as they were seen last: a master that has never heard them cannot tell.
bool Master::knows_directory() const {
  if (!is_informed()) return false;
  return !is_most_unreachable() || std::ranges::all_of(nodes_, [](Node const& node) {
    return node.record.status != model::NodeStatus::Unreachable || node.was_heard || !node.is_worker();
  });
}

void Master::on_message(Node& node, model::FollowDirectory const& message) {
  auto const id = node.record.id;
  if (!message.is_wanted) return stop_telling(id);
  if (!knows_directory()) {
    out_->push_back(Send{id, over()});
    return;
  }
  bool const is_first = followers_.empty();
  auto& follower = followers_[id];
  untold_.erase({follower.turn, id});
  follower = {.turn = ++turns_};
  untold_.emplace(turns_, id);
  if (!is_first) return;
  informed_at_ = now_.monotonic;
  are_nodes_due_ = true;
  for (auto const& [name, service] : services_) {
    if (service.exists()) directory_due_.insert(name);
  }
}

void Master::stop_telling(NodeId id) {
  auto const known = followers_.find(id);
  if (known == followers_.end()) return;
  untold_.erase({known->second.turn, id});
  followers_.erase(known);
  if (followers_.empty()) forget_directory();
}

void Master::stop_telling_all() {
  for (auto const& [id, follower] : followers_) out_->push_back(Send{id, over()});
  followers_.clear();
  untold_.clear();
  forget_directory();
}

void Master::forget_directory() {
  directory_ = {};
  directory_due_.clear();
  are_nodes_due_ = false;
}

void Master::see_directory(std::string const& service) {
  if (!followers_.empty()) directory_due_.insert(service);
}

// Whether its instances are listed depends on what it is.
void Master::see_ways_to(Node const& node) {
  for (auto const& located : node.located) {
    if (auto* service = find_by_uid(located.service)) touch(*service);
  }
  are_nodes_due_ = !followers_.empty();
}

// Of a record before and after a change.
void Master::count_reachable(Node const& node, int sign) {
  if (!node.is_recorded || !node.is_worker() || node.is_down()) return;
  workers_ += sign;
  if (node.record.status != model::NodeStatus::Unreachable) return;
  if (sign > 0) unreachable_.insert(index_of(node));
  else unreachable_.erase(index_of(node));
}

Monotonic Master::next_telling() const {
  if (followers_.empty() || !knows_directory()) return kNever;
  bool const is_due = are_nodes_due_ || !directory_due_.empty() || !untold_.empty();
  return is_due ? tell_at_ : kNever;
}

void Master::tell_directory() {
  if (std::exchange(were_most_unreachable_, is_most_unreachable()) != is_most_unreachable()) {
    for (auto const& node : nodes_) {
      if (node.record.status == model::NodeStatus::Unreachable) see_ways_to(node);
    }
  }
  if (followers_.empty()) return;
  if (knows_directory()) informed_at_ = now_.monotonic;
  else if (now_.monotonic >= informed_at_ + kUninformedFor) return stop_telling_all();
  else return;
  if (next_telling() > now_.monotonic) return;
  tell_changes();
  for (std::size_t told = 0; !untold_.empty() && told < kToldPerStep;) told += tell_all(untold_.begin()->second);
  bool const is_more_to_tell = !directory_due_.empty() || !untold_.empty();
  tell_at_ = now_.monotonic + (is_more_to_tell ? kPace : kTellInterval);
}

// To all that were told anything yet, so that what they are told later fits.
void Master::tell_changes() {
  model::DirectoryChanged message{.services = {}, .nodes = {}};
  auto const most = std::max(kLeastPerStep, kInstancesPerStep / followers_.size());
  for (std::size_t looked_at = 0; !directory_due_.empty() && looked_at < most;) {
    auto const after = directory_due_.upper_bound(told_last_);
    auto const name = std::move(directory_due_.extract(after == directory_due_.end() ? directory_due_.begin() : after).value());
    told_last_ = name;
    auto const* service = find_service(name);
    auto const known = directory_.services.find(name);
    auto const* before = known == directory_.services.end() ? nullptr : known->second.get();
    if (!service) {
      if (before) message.services.push_back({.name = name, .is_gone = true, .instances = {}, .ingress = {}});
    } else {
      looked_at += 1 + service->instances.size();
      auto change = model::difference(name, before, {endpoints_of(*this, *service), ingress_of(*this, *service)});
      if (change) message.services.push_back(*std::move(change));
    }
  }
  for (auto const& change : message.services) model::apply(directory_, change);
  if (std::exchange(are_nodes_due_, false)) {
    auto nodes = decltype(directory_.nodes){};
    for (auto const& node : nodes_) {
      if (node.is_recorded && !node.is_down() && !node.facts.address.empty()) nodes[node.record.name] = node.facts.address;
    }
    message.nodes = model::difference(directory_.nodes, nodes);
    directory_.nodes = std::move(nodes);
  }
  if (message.services.empty() && message.nodes.empty()) return;
  for (auto const& [id, follower] : followers_) {
    if (!follower.has_begun) continue;
    message.is_whole = !untold_.contains({follower.turn, id});
    out_->push_back(Send{id, message});
  }
}

// One message, of the services behind the last one. How much it tells.
std::size_t Master::tell_all(NodeId id) {
  auto& follower = followers_.at(id);
  model::DirectoryChanged message{.is_first = !std::exchange(follower.has_begun, true), .services = {}, .nodes = {}};
  if (message.is_first) message.nodes = model::difference({}, directory_.nodes);
  auto at = message.is_first ? directory_.services.begin() : directory_.services.upper_bound(follower.told_up_to);
  std::size_t count = 1 + message.nodes.size() / kNodesPerEndpoint;
  for (std::size_t told = 0; at != directory_.services.end() && told < kEndpointsPerMessage; ++at) {
    auto const& [name, entry] = *at;
    message.services.push_back(*model::difference(name, nullptr, *entry));
    told += 1 + entry->endpoints.size();
    count += 1 + entry->endpoints.size();
    follower.told_up_to = name;
  }
  message.is_whole = at == directory_.services.end();
  if (message.is_whole) untold_.erase({follower.turn, id});
  out_->push_back(Send{id, std::move(message)});
  return count;
}

}  // namespace davit::master
