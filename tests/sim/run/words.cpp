#include "sim/run/words.hpp"

#include <fmt/core.h>

namespace davit::sim {
namespace {
struct Speaker {
  std::string operator()(model::Welcome const& message) const { return fmt::format("welcome, life {}", message.incarnation); }
  std::string operator()(model::FenceShards const& message) const {
    std::string text = fmt::format("fence, round {}:", message.round);
    for (auto const& fence : message.fences) text += fmt::format(" {}@{}", fence.shard.value, to_string(fence.epoch));
    return text;
  }
  std::string operator()(model::RunInstance const& message) const {
    return fmt::format("run {}.{} {} r{} under {}@{}, life {}", message.service, message.slot, to_string(message.id), message.revision,
                       message.fence.shard.value, to_string(message.fence.epoch), message.incarnation);
  }
  std::string operator()(model::StopInstance const& message) const {
    return fmt::format("stop slot {} {} {} under {}@{}", message.slot, to_string(message.id), model::to_string(message.reason),
                       message.fence.shard.value, to_string(message.fence.epoch));
  }
  std::string operator()(model::BeatBack const&) const { return "beat back"; }
  std::string operator()(model::DirectoryChanged const& message) const {
    return message.is_over ? "directory: ask another master"
                           : fmt::format("directory: {}{} services, {} nodes have changed", message.is_first ? "from the beginning: " : "",
                                         message.services.size(), message.nodes.size());
  }

  std::string operator()(model::InstanceReport const& report) const {
    return fmt::format("{}.{} {} r{} {}{} {}", report.service, report.slot, to_string(report.id), report.revision,
                       model::to_string(report.state), report.ready ? " ready" : "", report.message);
  }
  std::string operator()(model::AgentHello const&) const { return "hello"; }
  std::string operator()(model::FencesStored const& message) const {
    std::string text = fmt::format("fences stored, round {}:", message.round);
    for (auto const& fence : message.fences) text += fmt::format(" {}@{}", fence.shard.value, to_string(fence.epoch));
    for (auto const& report : message.all) text += fmt::format("; {}", (*this)(report));
    return text;
  }
  std::string operator()(model::Verdict const& message) const {
    return fmt::format("{} {}: {}", message.admitted ? "admits" : "refuses", to_string(message.id), message.message);
  }
  std::string operator()(model::InstanceChanged const& message) const { return (*this)(message.report); }
  std::string operator()(model::InstanceGone const& message) const { return fmt::format("gone {}", to_string(message.id)); }
  std::string operator()(model::Beat const&) const { return "beat"; }
  std::string operator()(model::InstancesMeasured const& message) const {
    return fmt::format("measured {} instances", message.some.size());
  }
  std::string operator()(model::FollowDirectory const& message) const {
    return message.is_wanted ? "tell me the directory" : "tell me no more of the directory";
  }
  std::string operator()(model::FactsChanged const& message) const { return fmt::format("facts, engine up: {}", message.facts.engine_up); }

  std::string operator()(model::Forward const& message) const { return fmt::format("forward {}", message.id); }
  std::string operator()(model::ForwardAnswered const& message) const {
    return fmt::format("answer to {}{}", message.id, message.is_elsewhere ? ": elsewhere" : "");
  }
  std::string operator()(model::Hears const& message) const { return fmt::format("hears {} nodes", message.nodes.size()); }
  std::string operator()(model::Subscribe const& message) const {
    return fmt::format("subscribe {} {}", to_string(message.node), message.is_wanted);
  }
  std::string operator()(model::RelayDropped const& message) const { return fmt::format("dropped for {}", message.node.value); }
  std::string operator()(model::RelayToAgent const& message) const {
    return fmt::format("relay to {}: {}", message.node.value, std::visit(*this, message.message));
  }
  std::string operator()(model::RelayFromAgent const& message) const {
    return fmt::format("relay from {}: {}", message.node.value, std::visit(*this, message.message));
  }

  std::string operator()(model::InspectImage const& call) const { return "inspect image " + call.reference; }
  std::string operator()(model::PullImage const& call) const { return "pull " + call.reference; }
  std::string operator()(model::CreateContainer const& call) const { return "create " + call.name; }
  std::string operator()(model::StartContainer const& call) const { return "start " + call.id; }
  std::string operator()(model::StopContainer const& call) const { return "stop " + call.id; }
  std::string operator()(model::KillContainer const& call) const { return "kill " + call.id; }
  std::string operator()(model::RemoveContainer const& call) const { return "remove " + call.id; }
  std::string operator()(model::InspectContainer const& call) const { return "inspect " + call.id_or_name; }
  std::string operator()(model::ListContainers const&) const { return "list"; }
  std::string operator()(model::ReadStats const& call) const { return "stats " + call.id; }
  std::string operator()(model::ReadEngineInfo const&) const { return "info"; }
};

}  // namespace

std::string words_of(model::ToAgent const& message) { return std::visit(Speaker{}, message); }
std::string words_of(model::ToMaster const& message) { return std::visit(Speaker{}, message); }
std::string words_of(model::PeerMessage const& message) { return std::visit(Speaker{}, message); }
std::string words_of(model::EngineCall const& call) { return std::visit(Speaker{}, call); }

std::string words_of(ports::Commit const& commit) {
  std::string text;
  for (auto const& operation : commit.operations) {
    auto const* put = std::get_if<ports::Put>(&operation);
    text += put ? fmt::format(" {}={}", put->key, put->value) : fmt::format(" -{}", std::get<ports::Erase>(operation).key);
  }
  return text;
}

}  // namespace davit::sim
