#include "codec/records.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "codec/json.hpp"

namespace davit::codec {
namespace {

using namespace model;

SpecRef spec(std::string image, std::int64_t instances = 1) {
  ServiceSpec made;
  made.image = std::move(image);
  made.instances = instances;
  return std::make_shared<ServiceSpec>(std::move(made));
}

Wall at(int seconds) { return Wall{std::chrono::milliseconds{1'700'000'000'000 + 1000 * seconds}}; }

JournalEvent event(std::uint64_t number, EventBody body) {
  return {number,
          at(static_cast<int>(number)),
          "api",
          "request-" + std::to_string(number),
          0xffffffffffffffff - number,
          "s1." + std::to_string(number),
          std::move(body)};
}

std::vector<JournalEvent> a_life() {
  return {event(1, ServiceCreated{spec("a:1")}),
          event(2, SpecChanged{spec("a:1", 5), false}),
          event(3, ImageResolved{1, "sha256:aa"}),
          event(4, SpecChanged{spec("a:2", 5), true}),
          event(5, RolloutCompleted{}),
          event(6, ServiceRestarted{}),
          event(7, RolloutStopped{Reason::CrashLoop, "web.2 ended 5 times"}),
          event(8, RolledBack{.to_revision = 1, .spec = spec("a:1", 5)}),
          event(9, RemovalRequested{})};
}

// What came to format 1 with automatic rollbacks.
std::vector<JournalEvent> a_life_of_rollouts() {
  return {event(1, ServiceCreated{spec("a:1", 3)}),
          event(2, SpecChanged{spec("a:2", 3), true}),
          event(3, RolloutPaused{}),
          event(4, RolloutResumed{}),
          event(5, RolledBack{1, spec("a:1", 3), true, Reason::ImageNotFound, "web.1 failed: no such image"}),
          event(6, RolloutCompleted{}),
          event(7, SpecChanged{spec("a:3", 3), true}),
          event(8, RolloutCompleted{true, Reason::CrashLoop, "web.2 failed: exit 3"}),
          event(9, SpecChanged{spec("a:4", 3), true}),
          event(10, RolledBack{1, spec("a:1", 3), true, Reason::Unhealthy, "web.1 failed: its health test failed"}),
          event(11, RolloutStopped{Reason::Exited, "web.1 failed: exit 1"})};
}

Head replay(Head head, std::vector<JournalEvent> const& events) {
  for (auto const& each : events) head = apply(std::move(head), each);
  return head;
}

Head empty_head() {
  Head head;
  head.name = "web";
  head.uid = {1, 4711};
  return head;
}

std::vector<Record> one_of_each() {
  std::vector<Record> records{
      ClusterRecord{ClusterId{77}, 2, kFormatVersion},
      ShardRecord{ShardId{17}, "n1.7f3a"},
      NodeRecord{NodeId{5}, "n1", {Role::Master, Role::Worker}, {{"disk", "ssd"}}, Availability::Drain, NodeStatus::Up, 3},
      MasterRecord{NodeId{5}, "n1.7f3a", "n1", "10.0.0.11:4821", true, kFormatVersion},
      CoordinatorRecord{NodeId{5}, "n1.7f3a"},
      SuspectsRecord{7, {{NodeId{3}, 1}, {NodeId{4}, 2}}, "2 of 3 workers are unreachable"},
      SeenRecord{NodeId{5}, "n1.7f3a", 7, true, {{NodeId{3}, 1}}, {{NodeId{4}, 2}}},
      HeadRecord{replay(empty_head(), a_life())},
      SpecRecord{"web", 3, {spec("nginx:1.27", 3), "sha256:bb", at(3)}},
      SlotRecord{"web", 2, InstanceId{9}, 3, NodeId{5}, 4, 17592186044417, 15s},
      GoneRecord{"web", {1, 4711}, at(9), {{"request-9", 0x8000000000000000, 5, at(9)}}},
  };
  for (auto const& each : a_life()) records.push_back(EventRecord{"web", each});
  for (auto const& each : a_life_of_rollouts()) records.push_back(EventRecord{"rolled", each});
  auto rolled = replay(empty_head(), a_life_of_rollouts());
  rolled.name = "rolled";
  records.push_back(HeadRecord{rolled});
  return records;
}

TEST(Records, ReadBackAlike) {
  for (auto const& record : one_of_each()) {
    auto const bytes = encode_record(record);
    auto const read = decode_record(key_of(record), bytes);
    ASSERT_TRUE(read) << bytes << "\n" << read.error().message;
    EXPECT_EQ(read->index(), record.index());
    EXPECT_EQ(encode_record(*read), bytes);
  }
}

TEST(Records, RefuseWhatANewerDavitWrote) {
  struct {
    std::string key, bytes, says;
  } const cases[] = {
      {cluster_key(), R"({"format":1,"uid":"000000000001","era":1,"region":"eu"})",
       "davit/v1/cluster at #/region: not known to this version"},
      {event_key("web", 1), R"({"service":"web","event":{"number":1,"time":"2026-01-02T03:04:05.000Z","tag":"t","body":{"canaried":{}}}})",
       "#/event/body/canaried"},
      {spec_key("web", 1),
       R"({"service":"web","revision":1,"content":{"spec":{"image":"a","gpus":1},"created_at":"2026-01-02T03:04:05.000Z"}})",
       "#/content/spec/gpus"},
      {node_key(NodeId{1}), R"({"id":"000000000001","name":"n","availability":"frozen","status":"up","incarnation":1})", "#/availability"},
      {"davit/v1/secrets/x", "{}", "davit/v1/secrets/x is not known"},
      {service_prefix("web") + "drafts/1", "{}", "drafts/1 is not known"},
  };
  for (auto const& [key, bytes, says] : cases) {
    auto const read = decode_record(key, bytes);
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().code, Code::Unsupported) << read.error().message;
    EXPECT_NE(read.error().message.find(says), std::string::npos) << read.error().message;
  }
}

TEST(Records, RefuseWhatIsBroken) {
  struct {
    std::string key, bytes, says;
  } const cases[] = {
      {cluster_key(), "{", "not valid JSON"},
      {cluster_key(), "[]", "expected an object"},
      {cluster_key(), R"({"format":1,"era":1})", "#/uid: must be given"},
      {cluster_key(), R"({"format":-1,"uid":"000000000001","era":1})", "#/format: must be from 0 to 4294967295"},
      {cluster_key(), R"({"format":1,"uid":"short","era":1})", "#/uid"},
      {shard_key(ShardId{1}), R"({"shard":128,"session":"s"})", "#/shard: must be from 0 to 127"},
      {shard_key(ShardId{1}), R"({"shard":2,"session":"s"})", "holds what belongs under davit/v1/shards/002"},
      {gone_key("web"), R"({"service":"db","uid":"1-2","at":"2026-01-02T03:04:05Z"})", "belongs under"},
      {head_key("web"),
       R"({"name":"web","uid":"1-2","events":3,"tag":"t","generation":1,"revision":2,"last_revision":2,"revisions":[1],"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"})",
       "does not name its current revision"},
      {event_key("web", 1), R"({"service":"web","event":{"number":1,"time":"yesterday","tag":"t","body":{"restarted":{}}}})",
       "#/event/time"},
      {event_key("web", 1), R"({"service":"web","event":{"number":1,"time":"2026-01-02T03:04:05Z","tag":"t","body":{}}})", "#/event/body"},
  };
  for (auto const& [key, bytes, says] : cases) {
    auto const read = decode_record(key, bytes);
    ASSERT_FALSE(read) << bytes;
    EXPECT_NE(read.error().message.find(says), std::string::npos) << read.error().message;
  }
}

TEST(Records, TellTheSlotOfAKey) {
  EXPECT_EQ(slot_of(slot_key("web", 7)), std::pair(std::string("web"), 7U));
  EXPECT_EQ(slot_of(slot_key("web", 4294967295)), std::pair(std::string("web"), 4294967295U));
  for (auto const& key : {head_key("web"), head_key("slots"), service_prefix("web") + "slots/7", event_key("web", 7)}) {
    EXPECT_FALSE(slot_of(key)) << key;
  }
}

TEST(AgentStateFile, ReadsBackAlike) {
  AgentState state{.node = NodeId{42}, .cluster = ClusterId{7}};
  state.epochs[0] = {1, 5};
  state.epochs[kShards - 1] = {1, 9};
  EXPECT_EQ(*decode_agent_state(encode_agent_state(state)), state);
  state.slots[{ServiceUid{1, 42}, 2}] = {{1, 42}, 2, 17592186044417, 3, true, 15s};
  state.slots[{ServiceUid{1, 42}, 3}] = {{1, 42}, 3, 0x8000000000000000, 3, false, 1min};
  state.refused_below = 17592186044416;
  EXPECT_EQ(*decode_agent_state(encode_agent_state(state)), state);
  state.cluster = std::nullopt;
  EXPECT_EQ(*decode_agent_state(encode_agent_state(state)), state);
}

TEST(AgentStateFile, RefusesTheRest) {
  for (std::string_view const text :
       {"", "[]", "{}", R"({"format":2,"node":"00000000001a","epochs":{}})", R"({"format":1,"epochs":{}})",
        R"({"format":1,"node":"00000000001a","epochs":{"128":"1-1"}})", R"({"format":1,"node":"00000000001a","epochs":{"1":"x"}})",
        R"({"format":1,"node":"00000000001a","epochs":{},"slots":[{"uid":"1-2","slot":1}]})",
        R"({"format":1,"node":"00000000001a","epochs":{},"more":1})"}) {
    EXPECT_FALSE(decode_agent_state(text)) << text;
  }
}

// tests/golden/ of the tree that this binary was built in.
std::filesystem::path golden() {
  for (auto at = std::filesystem::read_symlink("/proc/self/exe").parent_path(); at.has_relative_path(); at = at.parent_path()) {
    if (std::filesystem::exists(at / "tests/golden")) return at / "tests/golden";
  }
  return {};
}

Value read_golden(std::filesystem::path const& file) {
  std::ostringstream text;
  text << std::ifstream(golden() / file).rdbuf();
  auto value = parse_json(text.str());
  EXPECT_TRUE(value) << file << ": " << (value ? "" : value.error().message);
  return value ? *std::move(value) : Value();
}

// What a later version writes may say more than the file; all that the file says it says alike.
void expect_holds(Value const& written, Value const& golden, std::string const& where) {
  if (!golden.as_object()) {
    EXPECT_EQ(dump(written), dump(golden)) << where;
    return;
  }
  for (auto const& [name, value] : golden.members()) expect_holds(written.at(name), value, where + "/" + name);
}
void expect_holds(Record const& written, Value const& golden) {
  expect_holds(*parse_json(encode_record(written)), golden, key_of(written));
}

// Files of released formats are never edited, only added.
TEST(Golden, EveryRecordOfFormat1IsReadAndWrittenAlike) {
  ASSERT_FALSE(golden().empty()) << "no tests/golden above this binary: build inside the source tree";
  auto const file = read_golden("journal-v1/records.json");
  EXPECT_GE(file.members().size(), 6U);
  for (auto const& [key, content] : file.members()) {
    auto const record = decode_record(key, dump(content));
    ASSERT_TRUE(record) << record.error().message;
    expect_holds(*record, content);
  }
}

TEST(Golden, JournalsOfFormat1LeadToTheirHeads) {
  ASSERT_FALSE(golden().empty());
  for (auto const* name : {"journal-v1/a-life.json", "journal-v1/a-life-of-rollouts.json"}) {
    SCOPED_TRACE(name);
    auto const file = read_golden(name);
    Head head = empty_head();
    for (auto const& each : file.at("events").items()) {
      auto const number = each.at("event").at("number").as_int().value_or(0);
      auto const record = decode_record(event_key("web", static_cast<std::uint64_t>(number)), dump(each));
      ASSERT_TRUE(record) << record.error().message;
      expect_holds(*record, each);
      head = apply(std::move(head), std::get<EventRecord>(*record).event);
    }
    EXPECT_GE(head.events, 9U);
    expect_holds(HeadRecord{head}, file.at("head"));
    expect_holds(SpecRecord{"web", head.revision, head.revisions.at(head.revision)}, file.at("spec"));
  }
}

// Prints what the golden files hold, for the day on which a format 2 begins: --gtest_also_run_disabled_tests.
TEST(Golden, DISABLED_PrintsTheFiles) {
  auto const parsed = [](Record const& record) { return *parse_json(encode_record(record)); };
  auto const print_life = [&](std::vector<JournalEvent> const& life, char const* file) {
    Value events = Value::array();
    for (auto const& each : life) events.push(parsed(EventRecord{"web", each}));
    auto const head = replay(empty_head(), life);
    auto const whole = Value::object({{"events", std::move(events)},
                                      {"head", parsed(HeadRecord{head})},
                                      {"spec", parsed(SpecRecord{"web", head.revision, head.revisions.at(head.revision)})}});
    std::ofstream(file) << dump(whole, Indent::Pretty) << "\n";
  };
  Value records = Value::object();
  for (auto const& record : one_of_each()) records.set(key_of(record), parsed(record));
  std::ofstream("records.json") << dump(records, Indent::Pretty) << "\n";
  print_life(a_life(), "a-life.json");
  print_life(a_life_of_rollouts(), "a-life-of-rollouts.json");
}

}  // namespace
}  // namespace davit::codec
