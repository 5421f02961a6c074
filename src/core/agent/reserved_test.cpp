#include "core/agent/reserved.hpp"

#include <gtest/gtest.h>

namespace davit::agent {
namespace {

constexpr ServiceUid kWeb{1, 7};
constexpr ServiceUid kDb{1, 8};
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

model::ServiceSpec spec_of(double cpus, std::int64_t memory, std::int64_t most = 0) {
  model::ServiceSpec spec;
  spec.resources.reservations = {cpus, {memory}};
  spec.placement.max_replicas_per_node = most;
  return spec;
}

model::EngineInfo engine() {
  model::EngineInfo engine;
  engine.cpus = 2;
  engine.memory = {4 * kGiB};
  return engine;
}

TEST(Reserved, admits_to_the_last_bit_and_no_further) {
  Reserved reserved;
  for (int i = 0; i < 20; ++i) {  // 0.1 has no exact binary form: in floating point the twentieth may not fit
    ASSERT_TRUE(reserved.check(kWeb, spec_of(0.1, kGiB / 5), engine())) << i;
    reserved.take(model::amount_of(0.1, {kGiB / 5}));
  }
  auto const cpu = reserved.check(kWeb, spec_of(0.01, 0), engine());
  ASSERT_FALSE(cpu);
  EXPECT_EQ(cpu.error().field, "not_enough_cpu");
  EXPECT_EQ(cpu.error().message, "wants 0.01 cores, 0 unreserved");
  auto const memory = reserved.check(kWeb, spec_of(0, kGiB), engine());
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().field, "not_enough_memory");
  EXPECT_TRUE(reserved.check(kWeb, spec_of(0, 0), engine())) << "what reserves nothing fits always";
  for (int i = 0; i < 20; ++i) reserved.give_back(model::amount_of(0.1, {kGiB / 5}));
  EXPECT_EQ(reserved.sum(), model::Amount());
}

TEST(Reserved, counts_each_service_for_itself) {
  Reserved reserved;
  reserved.join(kWeb);
  reserved.join(kWeb);
  reserved.join(kDb);
  auto const verdict = reserved.check(kWeb, spec_of(0, 0, 2), engine());
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().field, "max_per_node");
  EXPECT_EQ(verdict.error().message, "runs 2 of at most 2");
  EXPECT_TRUE(reserved.check(kDb, spec_of(0, 0, 2), engine()));
  reserved.leave(kWeb);
  EXPECT_TRUE(reserved.check(kWeb, spec_of(0, 0, 2), engine()));
}

}  // namespace
}  // namespace davit::agent
