// The pure halves of `davit apply`: the file, and the plan.
#include <gtest/gtest.h>

#include "cli/apply_plan.hpp"
#include "cli/stack_file.hpp"
#include "codec/json.hpp"

namespace davit::cli {
namespace {

std::string error_of(std::string_view text) {
  auto const file = read_stack(text, "f.yaml");
  return file ? "no error" : file.error().message;
}

TEST(StackFile, ReadsServicesOfAllDocuments) {
  auto const file = read_stack(
      "# shop\nversion: '3'\nx-base: &base {image: nginx:1}\nservices:\n  web:\n    <<: *base\n    x-note: 1\n    ports: [80]\n"
      "---\nname: db\nimage: postgres:16\n--- # nothing\n",
      "f.yaml");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->services.size(), 2U);
  EXPECT_EQ(file->services[0].name, "web");
  EXPECT_EQ(codec::dump(file->services[0].spec), R"({"ports":[80],"image":"nginx:1"})");
  EXPECT_EQ(file->services[1].name, "db");
  EXPECT_EQ(codec::dump(file->services[1].spec), R"({"image":"postgres:16"})");
  EXPECT_EQ(file->notes, std::vector<std::string>{"f.yaml:2:1: version has no meaning here and is left aside"});
}

TEST(StackFile, ReadsJson) {
  auto const file = read_stack(R"({"name":"web","image":"nginx:1"})", "f.json");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->services[0].name, "web");
}

TEST(StackFile, KnowsThePlacesOfTheServersPointers) {
  auto const file = read_stack("services:\n  web:\n    image: a\n    env: {}\n---\nname: db\nimage: a\nenv: {}\n", "f.yaml");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->services[0].locate("#/env"), "f.yaml:4:5");
  EXPECT_EQ(file->services[0].locate("#/ports/0"), "f.yaml:2:3");
  EXPECT_EQ(file->services[1].locate("#/env"), "f.yaml:8:1");
}

TEST(StackFile, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(error_of(""), "f.yaml: holds no service");
  EXPECT_EQ(error_of("a: 1"), "f.yaml:1:1: neither `name` (one service) nor `services` (a map of them)");
  EXPECT_EQ(error_of("services: {web: 3}\nservces: 1\n---\n[1]\n"),
            "f.yaml:2:1: servces is not supported; did you mean services?\n  f.yaml:1:12: expected a service, got the number 3\n"
            "  f.yaml:4:1: expected a mapping, got an array");
  EXPECT_EQ(error_of("volumes: {data: {}}\nservices: {web: {image: a}}"), "f.yaml:1:1: named volumes need no declaration: remove this");
  EXPECT_EQ(error_of("name: web\n---\nname: web\n"), "f.yaml:3:1: web is described already, at f.yaml:1:1");
  EXPECT_EQ(error_of("name: 3"), "f.yaml:1:1: the name must be a string");
}

codec::Value json(std::string_view text) { return *codec::parse_json(text); }

TEST(ApplyPlan, ShowsEachDifference) {
  auto const before = json(R"({"image":"nginx:1","environment":{"A":"1","B":"2"}})");
  auto const after = json(R"({"image":"nginx:2","instances":3,"environment":{"B":"2","C":"3"}})");
  EXPECT_EQ(step_text(plan_step("web", before, after)),
            "web: changed, its containers are replaced\n"
            "  ~ #/image: \"nginx:1\" → \"nginx:2\"\n"
            "  ~ #/instances: 1 → 3\n"
            "  - #/environment/A: \"1\"\n"
            "  + #/environment/C: \"3\"\n");
}

TEST(ApplyPlan, TellsWhatBecomesOfTheContainers) {
  auto const before = json(R"({"image":"nginx:1"})");
  EXPECT_EQ(step_text(plan_step("web", before, before)), "web: unchanged\n");
  EXPECT_FALSE(plan_step("web", before, json(R"({"image":"nginx:1","instances":3,"labels":{"a":"b"}})")).replaces);
  EXPECT_TRUE(plan_step("web", before, json(R"({"image":"nginx:1","user":"x"})")).replaces);
  EXPECT_EQ(step_text(plan_step("web", {}, before)), "web: created\n  + #/image: \"nginx:1\"\n");
  EXPECT_EQ(step_text({.service = "old", .action = Step::Action::Remove}), "old: removed\n");
}

TEST(ApplyPlan, SeesAChangeOfAFieldThatOnlyTheServerKnows) {
  auto const step = plan_step("web", json(R"({"image":"a:1","later":1})"), json(R"({"image":"a:1","later":2})"));
  EXPECT_EQ(step.action, Step::Action::Change);
}

TEST(ApplyPlan, PrunesWhatTheFileDoesNotName) {
  EXPECT_EQ(names_to_prune(json(R"([{"name":"web"},{"name":"old"}])"), {"web", "db"}), std::vector<std::string>{"old"});
}

}  // namespace
}  // namespace davit::cli
