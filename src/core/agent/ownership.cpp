#include "core/agent/ownership.hpp"

#include <charconv>

#include <fmt/core.h>

#include "base/planted.hpp"

namespace davit::agent {
namespace {

std::string const* find_label(std::map<std::string, std::string> const& labels, char const* key) {
  auto const label = labels.find(key);
  return label == labels.end() ? nullptr : &label->second;
}

template <class Number = std::uint32_t>
std::optional<Number> parse_number(std::string const* text) {
  Number number = 0;
  if (!text) return std::nullopt;
  auto const [end, failed] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failed != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

}  // namespace

std::string container_name(Identity const& identity) {
  auto name = fmt::format("{}.{}.{}", identity.service, identity.slot, to_string(identity.instance));
  if (identity.attempt > 1) name += fmt::format(".{}", identity.attempt);
  return name;
}

std::map<std::string, std::string> labels_of(Owner const& owner, Identity const& identity) {
  std::map<std::string, std::string> labels{
      {"davit.cluster", to_string(owner.cluster)},      {"davit.node", to_string(owner.node)},
      {"davit.name", container_name(identity)},         {"davit.service", identity.service},
      {"davit.uid", to_string(identity.uid)},           {"davit.slot", std::to_string(identity.slot)},
      {"davit.instance", to_string(identity.instance)}, {"davit.revision", std::to_string(identity.revision)},
      {"davit.epoch", to_string(identity.fence.epoch)}, {"davit.attempt", std::to_string(identity.attempt)}};
  if (identity.token != 0) labels["davit.token"] = std::to_string(identity.token);
  return labels;
}

std::map<std::string, std::string> list_filter(Owner const& owner) {
  return {{"davit.cluster", to_string(owner.cluster)}, {"davit.node", to_string(owner.node)}};
}

std::optional<Identity> identify(Owner const& owner, std::string const& name, std::map<std::string, std::string> const& labels) {
  auto const matches = [&](char const* key, std::string const& value) {
    auto const* label = find_label(labels, key);
    return label && *label == value;
  };
  if (!matches("davit.cluster", to_string(owner.cluster)) || !matches("davit.node", to_string(owner.node)) ||
      (!matches("davit.name", name) && !planted(Bug::AdoptsCopies))) {
    return std::nullopt;
  }
  auto const* service = find_label(labels, "davit.service");
  auto const* uid_text = find_label(labels, "davit.uid");
  auto const* id_text = find_label(labels, "davit.instance");
  auto const* epoch_text = find_label(labels, "davit.epoch");
  auto const slot = parse_number(find_label(labels, "davit.slot"));
  auto const revision = parse_number(find_label(labels, "davit.revision"));
  auto const attempt = parse_number(find_label(labels, "davit.attempt"));
  if (!service || !uid_text || !id_text || !epoch_text || !slot || !revision || !attempt) return std::nullopt;
  auto const uid = parse_service_uid(*uid_text);
  auto const id = parse_id<InstanceId>(*id_text);
  auto const epoch = parse_epoch(*epoch_text);
  if (!uid || !id || !epoch) return std::nullopt;
  Identity identity{*id,       *uid,
                    *service,  *slot,
                    *revision, {shard_of(*service), *epoch},
                    *attempt,  parse_number<std::uint64_t>(find_label(labels, "davit.token")).value_or(0)};
  if (container_name(identity) != name && !planted(Bug::AdoptsCopies)) return std::nullopt;
  return identity;
}

}  // namespace davit::agent
