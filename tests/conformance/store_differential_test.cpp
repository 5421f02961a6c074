#include <gtest/gtest.h>

#include "conformance/random_user.hpp"

namespace davit::conformance {
namespace {

class StoreDifferential : public testing::TestWithParam<std::uint64_t> {};

TEST_P(StoreDifferential, answers_and_delivers_alike) { expect_alike(*make_memory_harness(), *make_sqlite_harness(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(Seeds, StoreDifferential, testing::Values(1, 2, 3));

}  // namespace
}  // namespace davit::conformance
