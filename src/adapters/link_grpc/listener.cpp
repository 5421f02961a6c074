#include "adapters/link_grpc/listener.hpp"

#include <utility>

#include <fmt/core.h>

namespace davit::link_grpc {
namespace {

constexpr std::size_t kMostRefused = 1'000;

rpc::StatusCode status_of(Error const& error) {
  if (error.code == Code::Unavailable) return rpc::StatusCode::Unavailable;
  return error.code == Code::Exists ? rpc::StatusCode::AlreadyExists : rpc::StatusCode::FailedPrecondition;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::listen(ports::Loop& loop, AgentLink& agents, PeerLink& peers, Options options) {
  std::unique_ptr<Listener> listener(new Listener(agents, peers, std::move(options)));
  TRY(listener->server_, rpc::Server::listen(loop, listener->options_.address, listener->options_.tls,
                                             [self = listener.get()](std::unique_ptr<rpc::Incoming> incoming) { self->take(*incoming); }));
  return listener;
}

void Listener::take(rpc::Incoming& incoming) {
  auto const caller = read_caller(incoming);
  if (!caller) return refuse(incoming, caller.error());
  auto const& method = incoming.method();
  if (method == kClusterMethod) return agents_.tell_cluster(*caller, incoming);
  if (auto const admitted = admit(*caller, method); !admitted) return refuse(incoming, admitted.error());
  if (method == kAgentMethod) agents_.take(*caller, incoming);
  else if (method == kPeerMethod) peers_.take(*caller, incoming);
  else if (method == kLogsMethod) agents_.take_logs(*caller, incoming);
  else refuse(incoming, {Code::Unsupported, fmt::format("no such stream: {}", method), {}});
}

Status Listener::admit(Caller const& caller, std::string const& method) const {
  if (method == kPeerMethod) return options_.admit_peer(caller);
  return options_.admit_agent(caller, method == kAgentMethod ? agents_.find(caller.id) : std::nullopt);
}

// Not worth a word are callers that will soon be welcome, and those that are here already.
void Listener::refuse(rpc::Incoming& incoming, Error const& error) {
  auto const node = incoming.metadata("davit-node");
  bool const is_told = error.code != Code::Unavailable && !error.message.empty();
  auto text = fmt::format("{} ({}) is refused: {}", incoming.metadata("davit-name"), incoming.client(), error.message);
  incoming.refuse({status_of(error), error.message});
  if (!is_told) return;
  if (refused_.size() >= kMostRefused) refused_.clear();
  if (std::exchange(refused_[node], error.message) != error.message) options_.on_refused(std::move(text));
}

}  // namespace davit::link_grpc
