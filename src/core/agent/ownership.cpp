#include "core/agent/ownership.hpp"

#include <array>
#include <charconv>
#include <sstream>

#include <fmt/core.h>

#include "base/planted.hpp"

namespace davit::agent {
namespace {

constexpr std::int64_t kMostMs = 86'400'000;  // as of a spec
constexpr std::int64_t kMostRetries = 1000;

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
  labels["davit.token"] = std::to_string(identity.token);  // also 0: else a label of the image would stand
  return labels;
}

// "http 8080 container 10000 5000 3 0 1000 /ready": port, network, interval, timeout, retries, start period and interval in milliseconds,
// path.
std::string probe_label_of(model::Healthcheck const* check, bool is_of_host) {
  if (!check) return {};
  auto const ms = [](Duration time) { return std::chrono::ceil<std::chrono::milliseconds>(time).count(); };
  return fmt::format("{} {} {} {} {} {} {} {} {}", check->http ? "http" : "tcp", check->http ? check->http->port : check->tcp->port,
                     is_of_host ? kHostNetwork : "container", ms(check->interval), ms(check->timeout), check->retries,
                     ms(check->start_period), ms(check->start_interval), check->http ? check->http->path : "");
}

// An image may carry such a label from a container that it was made of, so nothing in it is believed unseen.
std::optional<LabelledProbe> probe_of(std::map<std::string, std::string> const& labels) {
  auto const* text = find_label(labels, kProbeLabel);
  if (!text) return std::nullopt;
  std::istringstream words(*text);
  std::string kind;
  std::string network;
  std::int64_t port = 0;
  std::array<std::int64_t, 5> terms{};
  words >> kind >> port >> network;
  for (auto& term : terms) words >> term;
  auto const is_time = [](std::int64_t ms, std::int64_t least) { return ms >= least && ms <= kMostMs; };
  bool const is_plausible = port >= 1 && port <= 65535 && is_time(terms[0], 1) && is_time(terms[1], 1) && terms[2] >= 1 &&
                            terms[2] <= kMostRetries && is_time(terms[3], 0) && is_time(terms[4], 1);
  if (!words || !is_plausible || (kind != "http" && kind != "tcp")) return std::nullopt;
  using std::chrono::milliseconds;
  LabelledProbe probe{.check = {.test = {},
                                .http = {},
                                .tcp = {},
                                .interval = milliseconds(terms[0]),
                                .timeout = milliseconds(terms[1]),
                                .retries = terms[2],
                                .start_period = milliseconds(terms[3]),
                                .start_interval = milliseconds(terms[4])},
                      .is_of_host = network == kHostNetwork};
  if (kind == "tcp") {
    probe.check.tcp = model::TcpProbe{port};
    return probe;
  }
  probe.check.http = model::HttpProbe{port, {}};
  std::getline(words >> std::ws, probe.check.http->path);
  return probe;
}

std::map<std::string, std::string> list_filter(Owner const& owner) {
  return {{"davit.cluster", to_string(owner.cluster)}, {"davit.node", to_string(owner.node)}};
}

std::set<Owner> owners_of(model::ContainerList const& containers) {
  std::set<Owner> owners;
  for (auto const& [id, name, labels, state] : containers.all) {
    auto const* cluster = find_label(labels, "davit.cluster");
    auto const* node = find_label(labels, "davit.node");
    if (!cluster || !node) continue;
    auto const cluster_id = parse_id<ClusterId>(*cluster);
    auto const node_id = parse_id<NodeId>(*node);
    if (!cluster_id || !node_id) continue;
    Owner const owner{*cluster_id, *node_id};
    if (identify(owner, name, labels)) owners.insert(owner);
  }
  return owners;
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
