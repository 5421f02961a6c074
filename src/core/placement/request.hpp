// What one service wants of a node, taken from its spec once, in a form that is quick to compare.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/amount.hpp"
#include "model/constraint.hpp"
#include "model/spec.hpp"

namespace davit::placement {

using model::Amount;

// An instance without reservations counts as so much until its service's instances were measured; then as their mean.
inline constexpr Amount kMeanUse{100'000, std::int64_t{64} << 20};

// A port of the node that the user has named.
struct HostPort {
  model::Protocol protocol = model::Protocol::Tcp;
  std::uint16_t number = 0;
  std::string address = "0.0.0.0";
  friend auto operator<=>(HostPort const&, HostPort const&) = default;
};

// Which nodes may take part: the same for many services, so that what is known of them is shared.
struct Eligibility {
  std::vector<model::Constraint> constraints;  // ascending, each once
  std::string spread_by;                       // a label's key; empty: nothing to spread over
  friend auto operator<=>(Eligibility const&, Eligibility const&) = default;
};

// What orders nodes for a service that has no instance yet; also shared.
struct Kind {
  Eligibility eligibility;
  model::Strategy strategy = model::Strategy::Mix;
  Amount reserved;
  friend auto operator<=>(Kind const&, Kind const&) = default;
};

struct Request {
  Kind kind;
  Amount expected;              // use of one instance: its reservations, or the mean
  std::vector<HostPort> ports;  // ascending
  std::uint32_t max_per_node = 0;  // 0: no limit
  bool keeps_node = false;         // a slot stays where its volume is
  friend bool operator==(Request const&, Request const&) = default;
};

Request request_of(model::ServiceSpec const& spec, Amount const& mean = kMeanUse);

}  // namespace davit::placement
