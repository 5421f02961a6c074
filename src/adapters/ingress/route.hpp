// One ingress port as all threads share it: the instances behind it, how many connections each has, and how many there may be.
// Held by the IngressProxy and by each connection, which may outlive the port. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/ingress/address.hpp"
#include "base/time.hpp"
#include "core/ingress/balancer.hpp"

namespace davit::ingress {

struct Limits {
  std::size_t connections = 16'384;  // of all ports
  std::size_t per_port = 8'192;

  // Of UDP, clients that were heard in the last minute. They are counted by themselves: anybody can make up as many as he likes, and they
  // are not to keep connections out.
  Limits of_datagrams() const { return {connections / 2, connections / 4}; }
};

struct Target {
  Backend backend;
  Address address;
};

class Route {
 public:
  Route(Port port, std::string service, Limits limits, std::atomic<std::size_t>& all)
      : port_(port),
        service_(std::move(service)),
        limits_(limits),
        all_(all) {}

  Port port() const { return port_; }
  std::string const& service() const { return service_; }

  void set(std::vector<Target> const& targets);
  std::optional<Target> choose(std::set<InstanceId> const& tried, Monotonic now);
  void release(InstanceId instance);
  void refused(InstanceId instance, Monotonic now);
  bool is_listed(InstanceId instance) const;
  std::size_t connections(InstanceId instance) const;

  // Whether there is room for one more; the log says from time to time that there was none.
  bool enter(Monotonic now);
  void leave();
  // The same for what else keeps a client away.
  void complain(std::string_view why, Monotonic now);

 private:
  Port const port_;
  std::string const service_;
  Limits const limits_;
  std::atomic<std::size_t>& all_;  // of all ports of this kind

  mutable std::mutex mutex_;  // of what follows
  Balancer balancer_;
  std::map<InstanceId, Address> addresses_;
  std::size_t inside_ = 0;
  Monotonic quiet_until_ = Monotonic::min();
  std::size_t refused_quietly_ = 0;
};

}  // namespace davit::ingress
