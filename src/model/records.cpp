#include "model/records.hpp"

#include <charconv>

#include <fmt/core.h>

namespace davit::model {

std::string cluster_key() { return fmt::format("{}cluster", kRoot); }
std::string shard_key(ShardId shard) { return fmt::format("{}{:03}", kShardsPrefix, shard.value); }
std::string node_key(NodeId node) { return fmt::format("{}{}", kNodesPrefix, to_string(node)); }
std::string master_key(NodeId master) { return fmt::format("{}{}", kMastersPrefix, to_string(master)); }
std::string coordinator_key() { return fmt::format("{}coordinator", kRoot); }
std::string suspects_key() { return fmt::format("{}suspects", kRoot); }
std::string seen_key(NodeId master) { return fmt::format("{}{}", kSeenPrefix, to_string(master)); }
std::string service_prefix(std::string_view service) {
  return fmt::format("{}services/{:03}/{}/", kRoot, shard_of(service).value, service);
}
std::string head_key(std::string_view service) { return service_prefix(service) + "head"; }
std::string gone_key(std::string_view service) { return service_prefix(service) + "gone"; }
std::string spec_key(std::string_view service, std::uint32_t revision) {
  return fmt::format("{}specs/{:010}", service_prefix(service), revision);
}
std::string event_key(std::string_view service, std::uint64_t number) {
  return fmt::format("{}events/{:012}", service_prefix(service), number);
}
std::string slot_key(std::string_view service, std::uint32_t slot) { return fmt::format("{}slots/{:010}", service_prefix(service), slot); }

std::optional<std::pair<std::string, std::uint32_t>> slot_of(std::string_view key) {
  constexpr std::string_view kSlots = "/slots/";
  auto const at = key.rfind(kSlots);
  if (at == std::string_view::npos) return std::nullopt;
  auto const digits = key.substr(at + kSlots.size());
  std::uint32_t slot = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), slot);
  auto const path = key.substr(0, at);
  std::string service(path.substr(path.rfind('/') + 1));
  if (key != slot_key(service, slot)) return std::nullopt;
  return std::pair(std::move(service), slot);
}

namespace {
std::string key(ClusterRecord const&) { return cluster_key(); }
std::string key(ShardRecord const& record) { return shard_key(record.shard); }
std::string key(NodeRecord const& record) { return node_key(record.id); }
std::string key(HeadRecord const& record) { return head_key(record.head.name); }
std::string key(SpecRecord const& record) { return spec_key(record.service, record.revision); }
std::string key(EventRecord const& record) { return event_key(record.service, record.event.number); }
std::string key(GoneRecord const& record) { return gone_key(record.service); }
std::string key(MasterRecord const& record) { return master_key(record.id); }
std::string key(CoordinatorRecord const&) { return coordinator_key(); }
std::string key(SuspectsRecord const&) { return suspects_key(); }
std::string key(SeenRecord const& record) { return seen_key(record.master); }
std::string key(SlotRecord const& record) { return slot_key(record.service, record.slot); }
}  // namespace

std::string key_of(Record const& record) {
  return std::visit([](auto const& each) { return key(each); }, record);
}

}  // namespace davit::model
