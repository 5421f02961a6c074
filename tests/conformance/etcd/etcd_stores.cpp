// The suites for etcd: one member, and three.
#include "conformance/etcd/etcd_harness.hpp"
#include "conformance/store_suite.hpp"

namespace davit::conformance {
namespace {

auto const kStores = testing::Values(Implementation{"one", make_etcd_harness}, Implementation{"three", make_three_members_harness});
std::string name_of(testing::TestParamInfo<Implementation> const& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Etcd, StoreSuite, kStores, name_of);
INSTANTIATE_TEST_SUITE_P(Etcd, StoreWatchSuite, kStores, name_of);

}  // namespace
}  // namespace davit::conformance
