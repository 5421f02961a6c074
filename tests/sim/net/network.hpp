// The network between simulated hosts: directed links that delay, and may be cut each way. What is sent over a cut link waits in its
// sender's kernel, as TCP keeps it, and arrives late if the connection still stands by then.
// Owned by the cluster. Faults may overlap: a link passes once every cut of it has been healed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "sim/net/random.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class Connection;
class ProcessLoop;
enum class HostId : std::uint32_t {};

class Network {
 public:
  Network(VirtualLoop& loop, Random random) : loop_(loop), random_(random) {}
  Network(Network const&) = delete;
  Network& operator=(Network const&) = delete;

  HostId add_host();
  std::size_t hosts() const { return hosts_; }
  VirtualLoop& loop() { return loop_; }
  Random& random() { return random_; }

  void cut(HostId from, HostId to) { change_cut(from, to, 1); }
  void heal(HostId from, HostId to) { change_cut(from, to, -1); }
  void isolate(HostId host, bool is_isolated);
  void slow_down(HostId from, HostId to, Duration by) { link(from, to).extra += by; }
  // Senders say some of their messages twice.
  void double_messages(HostId from, HostId to, bool begins) { link(from, to).doublings += begins ? 1 : -1; }
  bool is_doubled(HostId from, HostId to) { return link(from, to).doublings > 0 && random_.one_in(3); }

  bool passes(HostId from, HostId to) const { return links_[index(from, to)].cuts == 0; }
  bool passes_both_ways(HostId a, HostId b) const { return passes(a, b) && passes(b, a); }
  Duration delay(HostId from, HostId to);  // of the next message

  // Every connection that stands breaks, of one process or of a pair of hosts.
  void break_all(ProcessLoop const& process);
  void break_all(HostId a, HostId b);
  std::uint64_t attach(Connection& connection);
  void detach(std::uint64_t connection) { connections_.erase(connection); }

  // Told when a link's cut begins or ends.
  void on_change(std::function<void()> changed) { listeners_.push_back(std::move(changed)); }

 private:
  struct Link {
    int cuts = 0;
    int doublings = 0;
    Duration extra{};
  };

  std::size_t index(HostId from, HostId to) const { return static_cast<std::size_t>(from) * kMostHosts + static_cast<std::size_t>(to); }
  Link& link(HostId from, HostId to) { return links_[index(from, to)]; }
  void change_cut(HostId from, HostId to, int by);
  std::vector<std::shared_ptr<Connection>> all() const;

  static constexpr std::size_t kMostHosts = 64;

  VirtualLoop& loop_;
  Random random_;
  std::size_t hosts_ = 0;
  std::vector<Link> links_ = std::vector<Link>(kMostHosts * kMostHosts);
  std::map<std::uint64_t, Connection*> connections_;
  std::uint64_t last_connection_ = 0;
  std::vector<std::function<void()>> listeners_;
};

}  // namespace davit::sim
