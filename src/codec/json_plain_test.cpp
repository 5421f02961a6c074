#include "codec/json_plain.hpp"

#include <gtest/gtest.h>

#include <random>

#include "codec/json.hpp"

namespace davit::codec {
namespace {

TEST(ParsePlainJson, ReadsAllOfAStructure) {
  std::string_view const text = R"( {"a":[0,-17,9223372036854775807,-9223372036854775808,"x y",true,false,null,{},[ ],-0],
                                     "b" : {"c":""} } )";
  auto const value = parse_plain_json(text);
  ASSERT_TRUE(value);
  EXPECT_EQ(dump(*value), R"({"a":[0,-17,9223372036854775807,-9223372036854775808,"x y",true,false,null,{},[],0],"b":{"c":""}})");
  EXPECT_EQ(*value, *parse_json(dump(*value)));
}

TEST(ParsePlainJson, LeavesTheRestToTheWholeParser) {
  for (std::string const text : {R"("a\n")", R"("é")", "1.5e3", "1e3", "9223372036854775808", "\"\x01\"", "\xEF\xBB\xBF{}"})
    EXPECT_FALSE(parse_plain_json(text)) << text;
}

TEST(ParsePlainJson, RefusesWhatIsWrong) {
  std::string const all[] = {"",
                             " ",
                             "{",
                             "}",
                             "[1 2]",
                             "[1,]",
                             "[,1]",
                             "{\"a\":1,}",
                             "{\"a\" 1}",
                             "{1:2}",
                             "{\"a\"",
                             "{\"a\":}",
                             "01",
                             "-",
                             "--1",
                             "tru",
                             "nulls",
                             "{} {}",
                             "\"abc",
                             "'a'",
                             "{\"a\":1,\"a\":2}",
                             "{\"a\":1 \"b\":2}",
                             "[1]]",
                             "[NaN]",
                             "1.",
                             "[.5]",
                             "-.5",
                             "1.5.",
                             "00.5",
                             "- 1",
                             "+1",
                             std::string(33, '[') + std::string(33, ']')};
  for (auto const& text : all) {
    EXPECT_FALSE(parse_plain_json(text)) << text;
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_TRUE(parse_plain_json(std::string(32, '[') + std::string(32, ']')));
}

// Whatever is broken in a text: what it reads, the whole parser reads as well, and as the same.
TEST(ParsePlainJson, AgreesWithTheWholeParser) {
  std::string const sound =
      R"({"name":"web","n":[1,-20,0.30000000000000004,-4.5,300,{"on":true,"off":false,"none":null}],"s":{"t":"a,b:c","u":[]}, "z":0})";
  std::string_view const kUsed = "{}[]:,\"0123456789-.eE truefalsn\\\t\x01\x7F\xC3";
  std::mt19937_64 random(1);
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = sound;
    for (auto changes = random() % 3; changes-- > 0;) {
      auto const at = random() % text.size();
      if (random() % 2 == 0) text.erase(at, 1 + random() % 3);
      else text[at] = kUsed[random() % kUsed.size()];
    }
    auto const plain = parse_plain_json(text);
    auto const whole = parse_json(text);
    if (!plain) continue;
    ++read;
    ASSERT_TRUE(whole) << text;
    ASSERT_EQ(*plain, *whole) << text;
  }
  EXPECT_GT(read, 5'000);
}

}  // namespace
}  // namespace davit::codec
