#include "adapters/engine_docker/api_version.hpp"

#include <gtest/gtest.h>

namespace davit::engine_docker {
namespace {

TEST(ApiVersion, TakesTheSmallerOfBothNewest) {
  EXPECT_EQ(to_string(*negotiate("1.41")), "1.41");
  EXPECT_EQ(to_string(*negotiate("1.44")), "1.44");
  EXPECT_EQ(*negotiate("1.56"), kNewestApi);
  EXPECT_EQ(*negotiate("2.0"), kNewestApi);
}

TEST(ApiVersion, RefusesAnEngineThatIsTooOldAndSaysSo) {
  auto const old = negotiate("1.40");
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().code, Code::Unsupported);
  EXPECT_NE(old.error().message.find("1.41 (Docker 20.10)"), std::string::npos);
}

TEST(ApiVersion, RefusesWhatIsNoEngine) {
  for (auto const* text : {"", "x", "1", "1.", "1.4x", ".4"}) EXPECT_FALSE(negotiate(text)) << text;
}

}  // namespace
}  // namespace davit::engine_docker
