#include "adapters/link_local/link_local.hpp"

#include "base/check.hpp"

namespace davit::link_local {

void LocalLink::connect() {
  CHECK(master_.on_message && agent_.on_message);
  loop_.post([this] { master_.on_joined(node_); });
  loop_.post([this] { agent_.on_joined(node_); });
}

void LocalLink::send(NodeId node, model::ToAgent message, Monotonic) {
  if (node != node_) return;
  loop_.post([this, message = std::move(message)]() mutable { agent_.on_message(node_, std::move(message)); });
}

void LocalLink::send(NodeId master, model::ToMaster message) {
  if (master != node_) return;
  loop_.post([this, message = std::move(message)]() mutable { master_.on_message(node_, std::move(message)); });
}

std::unique_ptr<ports::LogReader> LocalLink::read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                                  std::function<void(Status)> on_end) {
  CHECK(node == node_);
  return engine_.read_logs(std::move(query), std::move(on_line), std::move(on_end));
}

}  // namespace davit::link_local
