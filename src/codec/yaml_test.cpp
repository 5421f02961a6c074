#include "codec/yaml.hpp"

#include <gtest/gtest.h>

#include "codec/json.hpp"

namespace davit::codec {
namespace {

struct Case {
  std::string text;
  std::string expected;  // JSON, or part of the message
};

TEST(ParseYaml, ReadsScalarsAsComposeMeansThem) {
  Case const cases[] = {
      {"true", "true"},
      {"False", "false"},
      {"yes", R"("yes")"},
      {"on", R"("on")"},
      {"~", "null"},
      {"", "null"},
      {"null", "null"},
      {"12", "12"},
      {"-3", "-3"},
      {"0x1F", "31"},
      {"0755", R"("0755")"},
      {"1_000", R"("1_000")"},
      {"1.5", "1.5"},
      {"1e3", "1000"},
      {".5", R"(".5")"},
      {".inf", R"(".inf")"},
      {"1.", R"("1.")"},
      {"'12'", R"("12")"},
      {"\"true\"", R"("true")"},
      {"!!str 12", R"("12")"},
      {"!!int 12", "12"},
      {"8080:80", R"("8080:80")"},
      {"22:22", R"("22:22")"},
      {"190:20:30", R"("190:20:30")"},
      {"2001-12-14", R"("2001-12-14")"},
      {"|\n a\n b", R"("a\nb")"},
      {"+5", R"("+5")"},
      {"-", "[null]"},
  };
  for (auto const& [text, expected] : cases) {
    auto const document = parse_yaml(text, "t.yaml");
    ASSERT_TRUE(document) << text << ": " << document.error().message;
    EXPECT_EQ(dump(document->root), expected) << text;
  }
}

TEST(ParseYaml, ReadsAnchorsAndMerges) {
  Case const cases[] = {
      {"a: &x [1, 2]\nb: *x", R"({"a":[1,2],"b":[1,2]})"},
      {"a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3", R"({"a":{"p":1,"q":2},"b":{"q":3,"p":1}})"},
      {"a: &x {p: 1}\nb: &y {p: 2, q: 3}\nc:\n  <<: [*x, *y]", R"({"a":{"p":1},"b":{"p":2,"q":3},"c":{"p":1,"q":3}})"},
      {"x-base: &b\n  image: a\nservices:\n  web:\n    <<: *b\n", R"({"x-base":{"image":"a"},"services":{"web":{"image":"a"}}})"},
      {"8080: x", R"({"8080":"x"})"},
  };
  for (auto const& [text, expected] : cases) {
    auto const document = parse_yaml(text, "t.yaml");
    ASSERT_TRUE(document) << text << ": " << document.error().message;
    EXPECT_EQ(dump(document->root), expected) << text;
  }
}

TEST(ParseYaml, KnowsWhereEachNodeStands) {
  auto const document = parse_yaml("services:\n  web:\n    image: x\n    ports:\n      - 80\n      - \"8080:80\"\n", "c.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->locate("#/services/web/image"), "c.yaml:3:5");
  EXPECT_EQ(document->locate("#/services/web/ports/1"), "c.yaml:6:9");
  EXPECT_EQ(document->locate("#/services/web/ports/1/published"), "c.yaml:6:9");
  EXPECT_EQ(document->locate("#/services"), "c.yaml:1:1");
  EXPECT_EQ(document->locate("#/nothing/here"), "c.yaml:1:1");
}

TEST(ParseYaml, SaysWhereAndWhatIsWrong) {
  std::string bomb = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) bomb += (j > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  Case const cases[] = {
      {"a: 1\na: 2", "t.yaml:2:1: the key \"a\" comes twice"},
      {"a: [1", "t.yaml:"},
      {"a: 99999999999999999999", "t.yaml:1:4: 99999999999999999999 is an integer beyond 64 bits; put it in quotes"},
      {"a: !reset []", "is not supported"},
      {"a: *x", "t.yaml:1:4"},
      {"a: &x [*x]", "an alias within what it stands for"},
      {"a:\n  <<: 3", "<< takes a mapping"},
      {"? [1]\n: 2", "a key must be a word"},
      {"a: 1\n---\nb: 2", "a second document"},
      {std::string("a: \xff"), "t.yaml:1:4: this is not UTF-8"},
      {"\ta: 1", "t.yaml:1:"},
      {bomb, "more than 100000 nodes"},
      {std::string(40, '[') + std::string(40, ']'), "nested more than 32 deep"},
      {std::string(100'000, '['), "t.yaml:1:"},
      {std::string(100'000, '{'), "t.yaml:1:"},
  };
  for (auto const& [text, expected] : cases) {
    auto const document = parse_yaml(text, "t.yaml");
    ASSERT_FALSE(document) << text.substr(0, 80) << dump(document->root).substr(0, 100);
    EXPECT_NE(document.error().message.find(expected), std::string::npos) << text.substr(0, 80) << "\n  says: " << document.error().message;
  }
}

}  // namespace
}  // namespace davit::codec
