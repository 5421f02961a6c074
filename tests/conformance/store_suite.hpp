// The fixture of the store suite: one fresh store per test, made by the implementation under test.
#pragma once

#include <memory>

#include <gtest/gtest.h>

#include "conformance/store_harness.hpp"

namespace davit::conformance {

struct Implementation {
  char const* name;
  std::unique_ptr<StoreHarness> (*make)();
};

inline void PrintTo(Implementation const& implementation, std::ostream* out) { *out << implementation.name; }

class StoreSuite : public testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<StoreHarness> harness = GetParam().make();
  StoreClient client{*harness};
};

class StoreWatchSuite : public StoreSuite {};
class StoreOrderSuite : public StoreSuite {};

}  // namespace davit::conformance
