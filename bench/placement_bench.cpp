// What one placement costs: SwarmKit's shape (many services of one instance each on 1,000 nodes, nothing else), and how the cost
// grows with the number of nodes, with and without a constraint that one node in ten meets.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "core/placement/index.hpp"

namespace davit::placement {
namespace {

constexpr int kRounds = 7;

Index cluster(std::size_t nodes) {
  Index index;
  for (std::size_t i = 0; i < nodes; ++i) {
    index.set_node(NodeIx(i),
                   {.id = {stable_hash(std::to_string(i)) & NodeId::kMask},
                    .name = fmt::format("n{}", i),
                    .roles = {model::Role::Worker},
                    .labels = {{"disk", i % 10 == 0 ? "ssd" : "hdd"}, {"zone", std::string(1, static_cast<char>('a' + i % 3))}},
                    .platform = "linux/amd64"},
                   {.is_member = true,
                    .status = model::NodeStatus::Up,
                    .engine_up = true,
                    .has_answered = true,
                    .capacity = {64'000'000, std::int64_t{256} << 30}});
  }
  return index;
}

void place_one(Index& index, ServiceUid service, Request const& request, Tally& tally) {
  auto const node = index.choose({.service = service, .request = request, .tally = tally, .refusals = {}});
  if (!node) std::abort();
  tally.add(*node);
  index.add(*node, request, true);
}

// From the spec to the node, for each of the services.
void place_services(Index& index, model::ServiceSpec const& spec, std::size_t services) {
  for (std::size_t i = 0; i < services; ++i) {
    auto const request = request_of(spec);
    Tally tally;
    place_one(index, {1, static_cast<std::int64_t>(i + 1)}, request, tally);
  }
}

// And with the id that a master makes for each instance.
void place_with_ids(Index& index, model::ServiceSpec const& spec, std::size_t services) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < services; ++i) {
    auto const request = request_of(spec);
    Tally tally;
    ServiceUid const uid{1, static_cast<std::int64_t>(i + 1)};
    all ^= stable_hash(fmt::format("{}/{}/{}/{}/{}", to_string(ClusterId{99}), to_string(uid), 1, to_string(Epoch{1, 42}), i));
    place_one(index, uid, request, tally);
  }
  if (all == 0) std::abort();
}

// The same for the instances of one service.
void place_instances(Index& index, model::ServiceSpec const& spec, std::size_t instances) {
  auto const request = request_of(spec);
  Tally tally;
  for (std::size_t i = 0; i < instances; ++i) place_one(index, {1, 1}, request, tally);
}

using Place = void (*)(Index&, model::ServiceSpec const&, std::size_t);

// Nanoseconds of this process for each placement, on a cluster of its own.
double cost(std::size_t nodes, model::ServiceSpec const& spec, std::size_t placements, Place place) {
  auto index = cluster(nodes);
  auto const begin = std::clock();
  place(index, spec, placements);
  auto const seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  return 1e9 * seconds / static_cast<double>(placements);
}

// Of several rounds the quickest: what else runs on the machine takes the cache away, too.
double best_cost(std::size_t nodes, model::ServiceSpec const& spec, std::size_t placements, Place place) {
  double best = cost(nodes, spec, placements, place);
  for (int round = 1; round < kRounds; ++round) best = std::min(best, cost(nodes, spec, placements, place));
  return best;
}

void print_growth(std::string_view what, model::ServiceSpec const& spec, Place place) {
  constexpr std::size_t kPlacements = 100'000;
  double const small = best_cost(100, spec, kPlacements, place);
  double const medium = best_cost(1'000, spec, kPlacements, place);
  double const large = best_cost(10'000, spec, kPlacements, place);
  fmt::print("{:<48} {:>6.0f} {:>6.0f} {:>6.0f} ns   10,000 nodes against 100: {:.2f}\n", what, small, medium, large, large / small);
}

void run() {
  fmt::print("1,000 nodes, services of one instance each\n");
  for (std::size_t const services : {10'000, 100'000}) {
    fmt::print("{:>8} services {:>12.0f} placements/s\n", services, 1e9 / best_cost(1'000, {}, services, place_services));
  }
  fmt::print("\ncost of one placement of 100,000 on                   100  1,000 10,000 nodes\n");
  print_growth("services of one instance, with the instance's id", {}, place_with_ids);
  print_growth("services of one instance", {}, place_services);
  model::ServiceSpec constrained;
  constrained.placement.constraints = {"node.labels.disk==ssd"};
  print_growth("the same, constrained to one node in ten", constrained, place_services);
  print_growth("instances of one service", {}, place_instances);
  print_growth("the same, constrained to one node in ten", constrained, place_instances);
  model::ServiceSpec spread;
  spread.placement.spread_by = "zone";
  spread.resources.reservations = {0.01, {std::int64_t{1} << 20}};
  print_growth("instances of one, with reservations, by zone", spread, place_instances);
}

}  // namespace
}  // namespace davit::placement

int main() { davit::placement::run(); }
