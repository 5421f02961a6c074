#include "core/dns/resolv_conf.hpp"

#include <gtest/gtest.h>

namespace davit::dns {
namespace {

std::string text_of(std::vector<Address> const& all) {
  std::string text;
  for (auto const& each : all) text += (text.empty() ? "" : " ") + to_string(each);
  return text;
}

TEST(ResolvConf, is_read_as_the_c_library_reads_it) {
  auto const conf = read_resolv_conf(
      "# by hand\n; too\nnameserver 10.0.0.1\n  nameserver\t fd00::1 \nnameserver fe80::1%eth0\nnameserver one\nnameserver\n"
      "domain old.example\nsearch a.example  b.example\r\noptions ndots:2 rotate\noptions edns0\nsortlist 1.2.3.4\nnameserver 127.0.0.53");
  EXPECT_EQ(text_of(conf.resolvers), "10.0.0.1 fd00::1 127.0.0.53");
  EXPECT_EQ(conf.search, (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(conf.options, (std::vector<std::string>{"ndots:2", "rotate", "edns0"}));
  EXPECT_EQ(read_resolv_conf(""), ResolvConf{});
}

TEST(Upstreams, are_asked_in_their_order_but_the_silent_ones_last) {
  Upstreams upstreams;
  auto const a = *parse_address("10.0.0.1"), b = *parse_address("10.0.0.2");
  upstreams.set({a, b});
  auto const order = [&](Duration at) { return text_of(upstreams.in_order(Monotonic{at})); };
  EXPECT_EQ(order(0s), "10.0.0.1 10.0.0.2");
  upstreams.on_silence(a, Monotonic{0s});
  EXPECT_EQ(order(1s), "10.0.0.2 10.0.0.1");
  EXPECT_EQ(order(10s), "10.0.0.1 10.0.0.2") << "it may live again";
  upstreams.on_silence(a, Monotonic{10s});
  upstreams.on_answer(a);
  EXPECT_EQ(order(11s), "10.0.0.1 10.0.0.2");
}

}  // namespace
}  // namespace davit::dns
