// Asks the host's own resolvers, those of /etc/resolv.conf, what is not ours. Owned by Serving; the server's thread.
// Each question goes out from a socket and with an id of its own, so that who cannot see it can hardly answer it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "adapters/dns_server/quota.hpp"
#include "core/dns/forwarding.hpp"
#include "core/dns/resolv_conf.hpp"
#include "core/dns/responder.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::dns_server {

class Forwarder {
 public:
  struct Options {
    std::filesystem::path resolv_conf;
    std::uint16_t port = 53;                                // of the resolvers
    std::function<bool(dns::Address const&)> is_ourselves;  // asking those would be a loop
  };
  Forwarder(runtime::AsioLoop& loop, Options options);

  std::optional<Quota::Ticket> admit(dns::Address const& client) { return quota_.take(client); }
  // The answer as it goes to the client; SERVFAIL where nobody gives one in time.
  boost::asio::awaitable<dns::Message> async_ask(dns::Message client, dns::Query query, dns::Transport transport);

 private:
  void read_resolvers();
  boost::asio::awaitable<Result<dns::Message>> async_ask_one(dns::Address resolver, dns::Message question, dns::Transport transport);

  runtime::AsioLoop& loop_;
  Options options_;
  std::optional<std::filesystem::file_time_type> read_at_;  // when the file was written that was read last
  dns::Upstreams upstreams_;
  Quota quota_;
};

}  // namespace davit::dns_server
