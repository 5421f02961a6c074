#include "codec/json.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace davit::codec {
namespace {

struct Bad {
  std::string text;
  std::string says;  // part of the message
};

TEST(ParseJson, ReadsEveryKindOfValue) {
  auto const value = parse_json(R"( {"a":[1,-2.5,"x\u00e9\n",true,null,{}],"b":9223372036854775807} )");
  ASSERT_TRUE(value) << value.error().message;
  auto const items = value->at("a").items();
  ASSERT_EQ(items.size(), 6U);
  EXPECT_EQ(items[0].as_int(), 1);
  EXPECT_EQ(items[1].as_number(), -2.5);
  EXPECT_EQ(items[2].text(), "xé\n");
  EXPECT_EQ(items[3].as_bool(), true);
  EXPECT_TRUE(items[4].is_null());
  EXPECT_TRUE(items[5].as_object()->empty());
  EXPECT_EQ(value->at("b").as_int(), INT64_MAX);
}

TEST(ParseJson, SaysWhereAndWhatIsWrong) {
  Bad const cases[] = {
      {"", "line 1, column 1: the text ends; expected a value"},
      {"  ", "the text ends; expected a value"},
      {"{", "the text ends; expected a key in double quotes, or '}'"},
      {"{\"a\":1", "line 1, column 7: the text ends; expected ',' or '}'"},
      {"{\"a\":1,}", "line 1, column 8: unexpected '}'; expected a key in double quotes"},
      {"{\n  \"a\": 1\n  \"b\": 2}", "line 3, column 3: unexpected '\"b\"'; expected ',' or '}'"},
      {"{\"a\" 1}", "unexpected '1'; expected ':'"},
      {"{\"a\":}", "unexpected '}'; expected a value"},
      {"{\"a\":1 \"b\"}", "unexpected '\"b\"'; expected ',' or '}'"},
      {"[1 2]", "unexpected '2'; expected ',' or ']'"},
      {"[1,]", "unexpected ']'; expected a value"},
      {"{'a':1}", "unexpected ''a''; expected a key in double quotes, or '}'"},
      {"{} {}", "expected nothing more"},
      {"[NaN]", "unexpected 'NaN'"},
      {"[tru]", "unexpected 'tru'"},
      {"\"abc", "this string has no closing quote"},
      {"\"a\nb\"", "a control character in this string"},
      {"\"a\\x\"", "a wrong \\ sequence"},
      {"\"a\xff\"", "this string is not UTF-8"},
      {"\"\\ud800\"", "a wrong \\ sequence"},
      {"[1e999]", "this number is too large"},
      {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", "the key 'b' comes twice in one object at #/a/b"},
      {"[1,9223372036854775808]", "an integer beyond 64 bits; write it as a string at #/1"},
      {"{\"n\":-9223372036854775809}", "an integer beyond 64 bits; write it as a string at #/n"},
      {"[123456789012345678901234567890]", "an integer beyond 64 bits"},
      {std::string(33, '['), "nested more than 32 deep"},
      {std::string(500'000, '['), "nested more than 32 deep"},
  };
  for (auto const& [text, says] : cases) {
    auto const value = parse_json(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, Code::Invalid);
    EXPECT_NE(value.error().message.find(says), std::string::npos) << text.substr(0, 60) << "\n  says: " << value.error().message;
  }
}

TEST(ParseJson, TakesDepth32) { EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']'))); }

TEST(ParseJson, NamesAKeyThatComesTwiceByItsPointer) {
  auto const value = parse_json(R"({"x":[{"a/b":1,"a/b":2}]})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().field, "#/x/0/a~1b");
}

TEST(ParseJson, FindsTwiceAmongManyKeysInNoTime) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"" + std::to_string(i) + "\":0,";
  EXPECT_FALSE(parse_json(text + "\"7\":0}"));
}

TEST(Dump, WritesWhatReadsBackAlike) {
  for (std::string_view const text : {R"({"a":[1,-2.5,"x\n\"\\\u0001é",true,null,{},[]],"b":{"c":1e+300}})", "[]", "\"\"", "-0.001", "0"}) {
    auto const value = parse_json(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(dump(*value), text);
    EXPECT_EQ(dump(*parse_json(dump(*value, Indent::Pretty))), text);
  }
}

TEST(Dump, PrettyIndentsByTwo) {
  EXPECT_EQ(dump(Value::object({{"a", Value::array(1, "x")}, {"b", Value::object()}}), Indent::Pretty),
            "{\n  \"a\": [\n    1,\n    \"x\"\n  ],\n  \"b\": {}\n}");
}

TEST(Dump, IsValidWhateverTheValueHolds) {
  EXPECT_EQ(dump(Value("a\xff\xc3")), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(dump(Value(std::nan(""))), "null");
  EXPECT_EQ(dump(Value(HUGE_VAL)), "null");
  EXPECT_EQ(dump(Value(8.0)), "8");
  EXPECT_EQ(escape_json("a\"\t\x7f"), "\"a\\\"\\t\x7f\"");
}

TEST(Value, GettersDoNotCoerce) {
  EXPECT_FALSE(Value(true).as_int());
  EXPECT_FALSE(Value(2.9).as_int());
  EXPECT_FALSE(Value("1").as_int());
  EXPECT_FALSE(Value(1).as_bool());
  EXPECT_EQ(Value(3.0).as_int(), 3);
  EXPECT_EQ(Value(3).as_number(), 3.0);
  EXPECT_TRUE(Value(3).at("a").at("b").is_null());
  EXPECT_TRUE(Value(std::optional<int>{}).is_null());
}

TEST(Value, SetReplacesInPlace) {
  auto value = Value::object({{"a", 1}, {"b", 2}});
  value.set("a", 3).set("c", nullptr);
  EXPECT_EQ(dump(value), R"({"a":3,"b":2,"c":null})");
}

}  // namespace
}  // namespace davit::codec
