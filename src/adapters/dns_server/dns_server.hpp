// DNS for the containers of this node and whoever else asks: ports::DirectoryUser on a thread of its own. Made by the app, which may only
// call it on the control thread; destroying it ends the thread. Names and answers: core/dns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "adapters/dns_server/serving.hpp"
#include "base/result.hpp"
#include "ports/directory.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::dns_server {

class DnsServer final : public ports::DirectoryUser {
 public:
  explicit DnsServer(Options options);
  ~DnsServer() override;
  DnsServer(DnsServer const&) = delete;
  DnsServer& operator=(DnsServer const&) = delete;

  void show(std::shared_ptr<model::Directory const> directory) override;
  // Binds at once, in place of the former address, which is kept if that fails. Gives the port, for 0 lets the kernel choose.
  Result<std::uint16_t> listen(dns::Address const& address, std::uint16_t port);
  std::optional<dns::Address> address() const { return address_; }  // where it listens

 private:
  runtime::AsioLoop loop_;  // of its own thread
  std::unique_ptr<Serving> serving_;
  std::optional<dns::Address> address_;
  std::thread thread_;  // last: runs only while all of the above lives
};

}  // namespace davit::dns_server
