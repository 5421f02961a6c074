#include "codec/records.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/core.h>

#include "codec/json.hpp"
#include "codec/record_fields.hpp"
#include "codec/record_values.hpp"

namespace davit::codec {
namespace {

using model::Record;

// What a field table cannot say for the alternative: which part of it is the value.
auto const& content_of(auto const& record) { return record; }
model::Head const& content_of(model::HeadRecord const& record) { return record.head; }
auto& content_of(auto& record) { return record; }
model::Head& content_of(model::HeadRecord& record) { return record.head; }

std::unexpected<Error> refuse(std::string_view key, std::vector<model::Problem> const& problems) {
  auto const is_unknown = [](model::Problem const& problem) {
    return problem.code == model::problem_code::kUnknownField || problem.code == model::problem_code::kUnknownValue;
  };
  auto const unknown = std::ranges::find_if(problems, is_unknown);
  if (unknown != problems.end()) {
    return fail(
        Code::Unsupported,
        fmt::format("{} at {}: not known to this version; it was written by a newer davit, which must be used on", key, unknown->pointer));
  }
  return fail(Code::Invalid, fmt::format("{} at {}: {}", key, problems[0].pointer, problems[0].detail));
}

// What callers rely on without looking.
Status check(auto const&) { return {}; }
Status check(model::HeadRecord const& record) {
  auto const& head = record.head;
  bool const is_whole = head.events > 0 && head.revisions.contains(head.revision) && head.last_revision >= head.revision;
  return is_whole ? Status() : fail(Code::Invalid, fmt::format("the head of {} does not name its current revision", head.name));
}

template <class R>
Result<Record> decode_as(std::string_view key, Value const& value) {
  R record{};
  FieldReader reader;
  read_fields(reader, value, content_of(record));
  if (auto const problems = reader.take_problems(); !problems.empty()) return refuse(key, problems);
  TRY_VOID(check(record));
  Record whole = std::move(record);
  if (auto const own = model::key_of(whole); own != key)
    return fail(Code::Invalid, fmt::format("{} holds what belongs under {}", key, own));
  return whole;
}

// The part of a service's key after its name: "head", "specs/0000000001", …; empty for other keys.
std::string_view part_of_service(std::string_view key) {
  for (int slashes = 0; slashes < 3; ++slashes) {
    auto const slash = key.find('/');
    if (slash == std::string_view::npos) return {};
    key.remove_prefix(slash + 1);
  }
  return key;
}

}  // namespace

std::string encode_record(Record const& record) {
  return std::visit([](auto const& each) { return dump(write_fields(content_of(each), Defaults::Show)); }, record);
}

Result<Record> decode_record(std::string_view key, std::string_view bytes) {
  auto const value = parse_json(bytes);
  if (!value) return fail(Code::Invalid, fmt::format("{}: {}", key, value.error().message));
  auto const name = key.starts_with(model::kRoot) ? key.substr(model::kRoot.size()) : std::string_view();
  if (name == "cluster") return decode_as<model::ClusterRecord>(key, *value);
  if (name.starts_with("shards/")) return decode_as<model::ShardRecord>(key, *value);
  if (name.starts_with("nodes/")) return decode_as<model::NodeRecord>(key, *value);
  if (name.starts_with("masters/")) return decode_as<model::MasterRecord>(key, *value);
  if (name == "coordinator") return decode_as<model::CoordinatorRecord>(key, *value);
  if (name == "suspects") return decode_as<model::SuspectsRecord>(key, *value);
  if (name.starts_with("seen/")) return decode_as<model::SeenRecord>(key, *value);
  if (name.starts_with("services/")) {
    auto const part = part_of_service(name);
    if (part == "head") return decode_as<model::HeadRecord>(key, *value);
    if (part == "gone") return decode_as<model::GoneRecord>(key, *value);
    if (part.starts_with("specs/")) return decode_as<model::SpecRecord>(key, *value);
    if (part.starts_with("events/")) return decode_as<model::EventRecord>(key, *value);
    if (part.starts_with("slots/")) return decode_as<model::SlotRecord>(key, *value);
  }
  return fail(Code::Unsupported,
              fmt::format("{} is not known to this version; it was written by a newer davit, which must be used on", key));
}

// Epochs as an object, because most shards have none: {"17":"1-42"}.
std::string encode_agent_state(model::AgentState const& state) {
  Value epochs = Value::object();
  for (std::size_t shard = 0; shard < state.epochs.size(); ++shard) {
    if (state.epochs[shard] != Epoch{}) epochs.set(std::to_string(shard), to_string(state.epochs[shard]));
  }
  auto value = Value::object({{"format", model::kFormatVersion}, {"node", to_string(state.node)}});
  if (state.cluster) value.set("cluster", to_string(*state.cluster));
  value.set("epochs", std::move(epochs));
  Value slots = Value::array();
  for (auto const& [slot, claim] : state.slots) slots.push(write_fields(claim, Defaults::Show));
  if (!state.slots.empty()) value.set("slots", std::move(slots));
  if (state.refused_below > 0) value.set("refused_below", write_unsigned(state.refused_below));
  return dump(value, Indent::Pretty) + "\n";
}

Result<model::AgentState> decode_agent_state(std::string_view bytes) {
  TRY(auto const value, parse_json(bytes));
  if (value.at("format").as_int() != model::kFormatVersion) {
    return fail(Code::Unsupported,
                fmt::format("the state file has format {}, this version knows {}", describe(value.at("format")), model::kFormatVersion));
  }
  FieldReader reader;
  constexpr auto kNames = std::to_array<std::string_view>({"format", "node", "cluster", "epochs", "slots", "refused_below"});
  reader.refuse_unknown(*value.as_object(), kNames);
  model::AgentState state;
  for (auto const& each : value.at("slots").items()) {
    auto const scope = reader.at("slots");
    model::SlotClaim claim;
    read_fields(reader, each, claim);
    state.slots[{claim.uid, claim.slot}] = claim;
  }
  if (auto const& floor = value.at("refused_below"); !floor.is_null()) {
    auto const scope = reader.at("refused_below");
    read_unsigned(reader, floor, UINT64_MAX, state.refused_below);
  }
  if (auto const problems = reader.take_problems(); !problems.empty()) return refuse("the state file", problems);

  TRY(state.node, parse_id<NodeId>(value.at("node").text()));
  if (auto const& cluster = value.at("cluster"); !cluster.is_null()) {
    TRY(state.cluster, parse_id<ClusterId>(cluster.text()));
  }
  for (auto const& [shard, epoch] : value.at("epochs").members()) {
    std::size_t index = kShards;
    std::from_chars(shard.data(), shard.data() + shard.size(), index);
    if (index >= kShards) return fail(Code::Invalid, fmt::format("the state file names shard {}, of {}", shard, kShards));
    TRY(state.epochs[index], parse_epoch(epoch.text()));
  }
  return state;
}

}  // namespace davit::codec
