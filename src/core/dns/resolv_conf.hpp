// What /etc/resolv.conf says (resolv.conf(5)), and in which order its resolvers are asked.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "core/dns/address.hpp"

namespace davit::dns {

struct ResolvConf {
  std::vector<Address> resolvers;    // those whose addresses need no interface's name
  std::vector<std::string> search;   // the last line of search or domain counts
  std::vector<std::string> options;  // "ndots:2", "edns0"
  friend bool operator==(ResolvConf const&, ResolvConf const&) = default;
};

ResolvConf read_resolv_conf(std::string_view text);

// Remembers who did not answer: each question to a dead resolver would cost its time-out.
class Upstreams {
 public:
  void set(std::vector<Address> resolvers) { resolvers_ = std::move(resolvers); }
  // Those that were silent a short while ago come last.
  std::vector<Address> in_order(Monotonic now) const;
  void on_silence(Address const& resolver, Monotonic now);
  void on_answer(Address const& resolver) { silent_until_.erase(resolver); }

 private:
  std::vector<Address> resolvers_;
  std::map<Address, Monotonic> silent_until_;
};

}  // namespace davit::dns
