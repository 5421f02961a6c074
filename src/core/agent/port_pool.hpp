// The node's ports: which are taken by instances, and which one to pick next. Part of the Agent.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/engine.hpp"
#include "model/instance.hpp"
#include "model/spec.hpp"

namespace davit::agent {

struct PortRange {
  std::uint16_t first = 20000;
  std::uint16_t last = 29999;
  friend bool operator==(PortRange const&, PortRange const&) = default;
};

class PortPool {
 public:
  explicit PortPool(PortRange range) : range_(range), next_(range.first) {}

  // One port for each of the spec's, or why not (Error::field is the reason's name); takes nothing.
  Result<std::vector<model::PublishedPort>> pick(std::vector<model::PortSpec> const& wanted, Monotonic now);
  void take(std::span<model::PublishedPort const> ports);
  void release(std::span<model::PublishedPort const> ports);
  // Of ports that are taken: whether another has taken one of them too.
  bool are_shared(std::span<model::PublishedPort const> ports) const;
  // The cluster's ingress ports, on which the node itself listens: never picked, but not kept from a user who has named one.
  void reserve(std::set<std::pair<model::Protocol, std::uint16_t>> ports) { reserved_ = std::move(ports); }
  // Somebody outside of Davit holds them: not picked again for a minute.
  void block(std::span<model::PublishedPort const> ports, Monotonic now);

 private:
  using Key = std::pair<model::Protocol, std::uint16_t>;
  using Addresses = std::vector<std::string>;  // that a port is taken on
  using Taken = std::map<Key, Addresses>;
  static std::ptrdiff_t count(Taken const& taken, Key key, std::string const& address);
  bool is_free(Key key, Monotonic now) const;
  Result<std::uint16_t> pick_one(model::PortSpec const& wanted, Taken const& picked, Monotonic now);

  PortRange range_;
  std::uint16_t next_;  // picks go round, so that a port that has just been freed is not given to a stranger at once
  Taken taken_;
  std::set<Key> reserved_;
  std::map<Key, Monotonic> blocked_until_;
};

}  // namespace davit::agent
