#include "adapters/link_local/link_local.hpp"

#include "base/check.hpp"

namespace davit::link_local {

void LocalLink::connect() {
  CHECK(to_master_ && to_agent_ && on_connected_);
  loop_.post([this] { on_connected_(); });
}

void LocalLink::send(NodeId node, model::ToAgent message) {
  if (node != node_) return;
  loop_.post([this, message = std::move(message)]() mutable { to_agent_(std::move(message)); });
}

void LocalLink::receive(std::function<void(NodeId, model::ToMaster)> on_message, std::function<void(NodeId)>) {
  to_master_ = std::move(on_message);
}

void LocalLink::send(model::ToMaster message) {
  loop_.post([this, message = std::move(message)]() mutable { to_master_(node_, std::move(message)); });
}

void LocalLink::receive(std::function<void()> on_connected, std::function<void(model::ToAgent)> on_message) {
  on_connected_ = std::move(on_connected);
  to_agent_ = std::move(on_message);
}

std::unique_ptr<ports::LogReader> LocalLink::read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                                  std::function<void(Status)> on_end) {
  CHECK(node == node_);
  return engine_.read_logs(std::move(query), std::move(on_line), std::move(on_end));
}

}  // namespace davit::link_local
