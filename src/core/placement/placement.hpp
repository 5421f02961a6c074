// Which node gets the next instance: filters that count what they reject, then scores. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/node.hpp"
#include "model/spec.hpp"

namespace davit::placement {

struct Candidate {
  NodeId id;
  std::string_view name;
  bool is_fenced = false;  // it has answered for the shard: only then its view is whole
  bool engine_up = false;
  model::NodeStatus status = model::NodeStatus::Up;
  model::Availability availability = model::Availability::Active;
  model::ResourceAmount capacity;
  model::ResourceAmount reserved;
  std::int64_t of_service = 0;
};

// The index of the best candidate, or why none fits: Error::field is a model::Reason, the message counts what each filter rejected.
Result<std::size_t> choose(model::ServiceSpec const& spec, InstanceId instance, std::span<Candidate const> candidates);

}  // namespace davit::placement
