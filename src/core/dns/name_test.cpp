#include "core/dns/name.hpp"

#include <gtest/gtest.h>

namespace davit::dns {
namespace {

TEST(Name, keeps_labels_apart) {
  auto const name = *Name::parse("_http._tcp.Web.davit.");
  EXPECT_EQ(name.count(), 4U);
  EXPECT_EQ(name.label(2), "web");
  EXPECT_EQ(to_string(name), "_http._tcp.web.davit");
  EXPECT_TRUE(name.is_within(*Name::parse("davit")));
  EXPECT_TRUE(name.is_within(*Name::parse("")));
  EXPECT_TRUE(name.is_within(name));
  EXPECT_FALSE(Name::parse("davit")->is_within(name));
  EXPECT_FALSE(Name::parse("a.xdavit")->is_within(*Name::parse("davit")));
  for (auto const* const text : {"a..b", ".a", ".."}) EXPECT_FALSE(Name::parse(text)) << text;
  EXPECT_FALSE(Name::parse(std::string(64, 'a')));
}

}  // namespace
}  // namespace davit::dns
