// ports::Registry over the HTTP API of a Consul agent (1.8 or later), with or without TLS and ACL token. It remembers nothing: each call
// is a request and its answer. Owned by the app for the process's life, until is_stopped(); control thread.
#pragma once

#include <string>

#include "http/client.hpp"
#include "ports/registry.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::registry_consul {

struct ConsulAddress {
  http::Endpoint endpoint;
  std::string ca;     // file; "": the system's authorities
  std::string token;  // "": none
};

class ConsulRegistry final : public ports::Registry {
 public:
  ConsulRegistry(runtime::AsioLoop& loop, ConsulAddress address);

  void call(model::RegistryCall call, Monotonic deadline, ports::Done<model::RegistryReply> done) override;
  void stop() { gate_.close(); }  // calls under way end without a word
  bool is_stopped() const { return gate_.is_closed() && gate_.count() == 0; }

 private:
  boost::asio::awaitable<void> async_run(model::RegistryCall call, Monotonic deadline, ports::Done<model::RegistryReply> done);
  Error away(Error const& error) const;

  std::string where_;
  std::string token_;
  http::Client client_;
  runtime::Gate gate_;  // last: what runs in it uses the rest
};

}  // namespace davit::registry_consul
