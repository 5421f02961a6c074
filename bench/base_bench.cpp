// What every write and every list pays: the shard of a name, an instance id, a time in an answer.
#include <string>

#include <benchmark/benchmark.h>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace davit {
namespace {

void shard_of_name(benchmark::State& state) {
  std::string const name = "checkout-frontend-eu-west";
  for (auto _ : state) benchmark::DoNotOptimize(shard_of(name));
}
BENCHMARK(shard_of_name);

void instance_id_to_text_and_back(benchmark::State& state) {
  InstanceId const id{0x0123'4567'89ab'cdef & InstanceId::kMask};
  for (auto _ : state) benchmark::DoNotOptimize(parse_id<InstanceId>(to_string(id)));
}
BENCHMARK(instance_id_to_text_and_back);

void time_to_rfc3339(benchmark::State& state) {
  Wall const time{std::chrono::milliseconds{1'767'323'045'678}};
  for (auto _ : state) benchmark::DoNotOptimize(format_rfc3339(time));
}
BENCHMARK(time_to_rfc3339);

}  // namespace
}  // namespace davit
