// Commands on their way to the one that decides, and agents that this master reaches through another one.
#include <algorithm>

#include <fmt/core.h>

#include "core/master/answers.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr Duration kCommandLimit = 10s;   // for finding somebody who decides; not for the store's answer
constexpr Duration kTryAgain = 100ms;
constexpr Duration kRelayLimit = cluster::kFreshFor;  // as long as a word of this master itself would be good for
constexpr Duration kAskAgain = 2s;        // a forwarded command without an answer; harmless, as it carries its request id

bool is_about_instances(model::ToMaster const& message) {
  return std::holds_alternative<model::InstanceChanged>(message) || std::holds_alternative<model::InstanceGone>(message) ||
         std::holds_alternative<model::Verdict>(message) || std::holds_alternative<model::FencesStored>(message) ||
         std::holds_alternative<model::InstancesMeasured>(message);
}

// What is unknown is the outcome of this master's own write. The command was not begun.
Error not_begun(Error error) {
  if (error.code == Code::UnknownOutcome) error.code = Code::Unavailable;
  return error;
}

}  // namespace

// ---- commands

void Master::on(CommandArrived const& event) {
  auto command = event.command;
  if (command.request_id.empty()) command.request_id = fmt::format("{}/{}", options_.session, next_request_++);
  if (acts_for(shard_of(command.service))) return carry_out_or_queue(event.id, command);
  if (store_error_ && !is_member()) return reply(event.id, std::unexpected(not_begun(*store_error_)));
  wait(event.id, std::move(command), 0s);
}

void Master::on(NodeCommandArrived const& event) {
  if (is_coordinator() && may_command()) return carry_out(event.id, event.command);
  wait(event.id, event.command, 0s);
}

void Master::wait(CommandId id, std::variant<model::Command, model::NodeCommand> command, Duration delay) {
  auto const give_up_at = give_up_at_.try_emplace(id, now_.monotonic + kCommandLimit).first->second;
  if (give_up_at <= now_.monotonic) return give_up(id, std::holds_alternative<model::Command>(command));
  auto& waiting = waiting_.try_emplace(id, Waiting{.command = std::move(command)}).first->second;
  waiting.try_at = std::min(now_.monotonic + delay, give_up_at);
}

void Master::give_up(CommandId id, bool is_about_service) {
  auto const waiting = waiting_.find(id);
  if (waiting != waiting_.end() && waiting->second.asked) {
    return reply(id, fail(Code::UnknownOutcome, std::string(kDeciderSilent)));
  }
  reply(id, fail(Code::Unavailable, is_about_service ? "no master acts for this service at the moment; ask again in a moment"
                                                     : "the cluster has no coordinator at the moment; ask again in a moment"));
}

void Master::advance_waiting() {
  std::vector<CommandId> due;
  for (auto const& [id, waiting] : waiting_) {
    if (waiting.try_at <= now_.monotonic) due.push_back(id);
  }
  for (auto const id : due) {
    if (auto const found = waiting_.find(id); found != waiting_.end()) advance(id, found->second);
  }
}

void Master::advance(CommandId id, Waiting& waiting) {
  auto const* command = std::get_if<model::Command>(&waiting.command);
  bool const is_mine = command ? acts_for(shard_of(command->service)) : is_coordinator() && may_command();
  if (is_mine) {
    auto const mine = waiting_.extract(id);
    if (command) carry_out_or_queue(id, std::get<model::Command>(mine.mapped().command));
    else carry_out(id, std::get<model::NodeCommand>(mine.mapped().command));
    return;
  }
  auto const give_up_at = give_up_at_.at(id);
  if (give_up_at <= now_.monotonic) return give_up(id, command != nullptr);
  auto const master = decider(waiting.command);
  waiting.try_at = std::min(now_.monotonic + kTryAgain, give_up_at);
  if (!peers_.contains(master)) return;
  waiting.asked = master;
  waiting.try_at = std::min(now_.monotonic + kAskAgain, give_up_at);
  send_peer(master, model::Forward{id, waiting.command});
}

NodeId Master::decider(std::variant<model::Command, model::NodeCommand> const& command) const {
  if (!std::holds_alternative<model::Command>(command)) return view_.coordinator.record.master;
  auto const shard = shard_of(std::get<model::Command>(command).service);
  auto const* owner = view_.master_of(view_.shards[shard.value].record.session);
  return owner ? owner->record.id : NodeId{};
}

void Master::reply(CommandId id, Result<Applied> outcome) {
  waiting_.erase(id);
  give_up_at_.erase(id);
  if (id < kRemoteCommands) {
    out_->push_back(Reply{id, std::move(outcome)});
  } else if (auto const remote = remote_.extract(id)) {
    send_peer(remote.mapped().master, model::ForwardAnswered{.id = remote.mapped().id, .outcome = std::move(outcome)});
  }
}

void Master::on_message(NodeId peer, model::Forward const& message) {
  auto const* command = std::get_if<model::Command>(&message.command);
  bool const is_mine = command ? acts_for(shard_of(command->service)) : is_coordinator() && may_command();
  if (!is_mine) return send_peer(peer, model::ForwardAnswered{.id = message.id, .outcome = Applied{}, .is_elsewhere = true});
  bool const is_repeated =
      std::ranges::any_of(remote_, [&](auto const& each) { return each.second.master == peer && each.second.id == message.id; });
  if (is_repeated) return;  // it is being carried out
  auto const id = next_remote_++;
  remote_[id] = {peer, message.id};
  if (command) carry_out_or_queue(id, *command);
  else carry_out(id, std::get<model::NodeCommand>(message.command));
}

void Master::on_message(NodeId peer, model::ForwardAnswered const& message) {
  auto const found = waiting_.find(message.id);
  if (found == waiting_.end()) return;  // answered before
  if (!message.is_elsewhere) return reply(message.id, message.outcome);
  if (found->second.asked == peer) found->second.try_at = now_.monotonic + kTryAgain;
}

// ---- peers and the agents they hear

void Master::on(PeerJoined const& event) {
  peers_.insert(event.master);
  for (auto& node : nodes_) {
    node.subscribers.erase(event.master);
    if (node.path.kind == Path::Kind::Relayed && node.path.peer == event.master)
      send_peer(event.master, model::Subscribe{node.record.id, true});
  }
  heard_changed_ = maintenance_due_ = true;
}

void Master::on(PeerLeft const& event) {
  peers_.erase(event.master);
  for (auto& node : nodes_) {
    node.subscribers.erase(event.master);
    if (node.peers.erase(event.master) > 0) touch_path(node);
  }
  for (auto& [id, waiting] : waiting_) {
    if (waiting.asked == event.master) waiting.try_at = now_.monotonic;
  }
  std::erase_if(remote_, [&](auto const& each) { return each.second.master == event.master; });
  maintenance_due_ = true;
}

void Master::on(FromPeer const& event) {
  std::visit([&](auto const& message) { on_message(event.master, message); }, event.message);
}

void Master::tell_peers_who_is_heard() {
  if (!std::exchange(heard_changed_, false) || peers_.empty()) return;
  model::Hears message;
  for (auto const& [id, ix] : node_ix_) {
    if (nodes_[static_cast<std::size_t>(ix)].is_connected) message.nodes.push_back(id);
  }
  for (auto const peer : peers_) send_peer(peer, message);
}

void Master::on_message(NodeId peer, model::Hears const& message) {
  for (auto const id : message.nodes) index_of(id);
  for (auto& node : nodes_) {
    bool const is_heard = std::ranges::binary_search(message.nodes, node.record.id);
    bool const is_news = is_heard ? node.peers.insert(peer).second : node.peers.erase(peer) > 0;
    if (is_news) touch_path(node);
  }
  maintenance_due_ = true;
}

void Master::on_message(NodeId peer, model::Subscribe const& message) {
  auto& node = node_of(message.node);
  if (!message.is_wanted) {
    node.subscribers.erase(peer);
    return;
  }
  node.subscribers.insert(peer);
  if (node.is_connected) send_peer(peer, model::RelayFromAgent{message.node, model::AgentHello{node.facts, node.known_life.value_or(0)}});
}

void Master::on(DroppedForPeer const& event) {
  for (auto& node : nodes_) {
    if (node.path == Path{Path::Kind::Relayed, event.master}) confirm_again(node);
  }
}

void Master::on_message(NodeId peer, model::RelayDropped const& message) {
  auto& node = node_of(message.node);
  if (node.path == Path{Path::Kind::Relayed, peer}) confirm_again(node);
}

void Master::on_message(NodeId, model::RelayToAgent const& message) {
  auto const& node = node_of(message.node);
  if (node.is_connected) out_->push_back(Send{message.node, message.message, now_.monotonic + kRelayLimit});
}

void Master::on_message(NodeId peer, model::RelayFromAgent const& message) {
  auto& node = node_of(message.node);
  if (node.path != Path{Path::Kind::Relayed, peer}) return;
  if (auto const* hello = std::get_if<model::AgentHello>(&message.message)) {
    if (node.facts.address != hello->facts.address) see_ways_to(node);
    node.facts = hello->facts;
    see_life(node, hello->incarnation);
    see_node(node);
    await_answer(node);  // a new connection of the peer's: what was said on the last one may be lost
    maintenance_due_ = true;
    return;
  }
  hear(node, message.message);
}

void Master::pass_on(Node const& node, model::ToMaster const& message) {
  bool const is_of_the_node = std::holds_alternative<model::FactsChanged>(message) || std::holds_alternative<model::AgentHello>(message);
  if (!is_of_the_node && !is_about_instances(message)) return;
  auto const* stored = std::get_if<model::FencesStored>(&message);
  for (auto const peer : node.subscribers) {
    if (!stored || stored->asker == peer) send_peer(peer, model::RelayFromAgent{node.record.id, message});
  }
}

void Master::send_peer(NodeId master, model::PeerMessage message) { out_->push_back(SendPeer{master, std::move(message), kNever}); }

}  // namespace davit::master
