#include "core/service/packed_container.hpp"

#include <gtest/gtest.h>

namespace davit::service {
namespace {

TEST(PackedContainer, gives_back_what_was_put_in) {
  std::string const usual = "00ff84d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a";
  model::ContainerRef const all[] = {
      {},
      {.id = usual, .name = "web.3.4fzm1q", .address = "172.17.0.3"},
      {.id = usual, .name = "", .address = ""},
      {.id = usual, .name = "", .address = "172.17.0.3"},
      {.id = "c17", .name = "web.1", .address = "fd00::3"},
      {.id = "", .name = "web.1", .address = ""},
      {.id = "00FF84D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A", .name = "web", .address = ""},
      {.id = usual + "0", .name = "web", .address = ""},
  };
  for (auto const& each : all) {
    EXPECT_EQ(PackedContainer(each).unpacked(), each) << each.id;
    EXPECT_EQ(PackedContainer(each).id(), each.id);
  }
}

}  // namespace
}  // namespace davit::service
