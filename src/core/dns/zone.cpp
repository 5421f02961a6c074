#include "core/dns/zone.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/core.h>

namespace davit::dns {
namespace {

constexpr std::string_view kNode = "node";

void clear(Records& records) {
  records.v4.all.clear();
  records.v6.all.clear();
  records.servers.all.clear();
}

void put(Records& records, Address const& address) { (address.is_v6 ? records.v6 : records.v4).all.push_back(address); }

void drop_repeated(Records& records) {
  for (auto* const all : {&records.v4.all, &records.v6.all}) {
    std::ranges::sort(*all);
    all->erase(std::ranges::unique(*all).begin(), all->end());
  }
}

std::optional<std::uint32_t> slot_number(std::string_view label) {
  std::uint32_t slot = 0;
  auto const [end, error] = std::from_chars(label.data(), label.data() + label.size(), slot);
  bool const is_whole = error == std::errc{} && end == label.data() + label.size() && !label.starts_with('0');
  return is_whole ? std::optional(slot) : std::nullopt;
}

std::string_view protocol_label(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::Tcp: return "_tcp";
    case model::Protocol::Udp: return "_udp";
    case model::Protocol::Sctp: return "_sctp";
  }
  return {};
}

}  // namespace

void Zone::show(std::shared_ptr<model::Directory const> directory) {
  bool const are_same_nodes = directory_ && directory_->nodes == directory->nodes;
  directory_ = std::move(directory);
  ++serial_;
  if (!are_same_nodes) show_nodes();
  std::erase_if(services_, [this](auto const& each) { return !directory_->services.contains(each.first); });
}

void Zone::show_nodes() {
  ++nodes_version_;
  nodes_.clear();
  nodes_[""];  // "node" itself
  for (auto const& [name, address] : directory_->nodes) {
    auto lowered = name;
    std::ranges::transform(lowered, lowered.begin(), lower);
    for (auto dot = lowered.find('.'); dot != std::string::npos; dot = lowered.find('.', dot + 1)) nodes_[lowered.substr(dot + 1)];
    auto& records = nodes_[lowered];
    if (auto const parsed = parse_address(address)) put(records, *parsed);
  }
}

Records* Zone::find(Name const& name) {
  auto const own = name.count() - domain_.count();  // labels before the domain
  if (own == 0) {
    clear(some_);
    return &some_;
  }
  auto const last = name.label(own - 1);
  return last == kNode ? find_node(name) : find_in_service(name, last);
}

Records* Zone::find_node(Name const& name) {
  std::string text;
  for (std::size_t i = 0; i + 1 < name.count() - domain_.count(); ++i) {
    auto const label = name.label(i);
    if (label.contains('.')) return nullptr;  // no dot between labels
    text.append(i > 0 ? "." : "").append(label);
  }
  auto const found = nodes_.find(text);
  return found == nodes_.end() ? nullptr : &found->second;
}

Records* Zone::find_in_service(Name const& name, std::string_view service_name) {
  auto* const service = this->service(service_name);
  if (!service) return nullptr;
  switch (name.count() - domain_.count()) {
    case 1: return &service->all;
    case 2: return of_first(*service, name.label(0));
    case 3: break;
    default: return nullptr;
  }
  if (!name.label(0).starts_with('_')) return nullptr;
  auto const found = service->by_port.find(fmt::format("{}.{}", name.label(0), name.label(1)));
  return found == service->by_port.end() ? nullptr : &found->second;
}

// A slot, an instance, or what is above the names of ports.
Records* Zone::of_first(Service& service, std::string_view label) {
  auto& all = service.all.servers.all;
  if (label.starts_with('_')) {
    auto const found = service.by_port.find(label);
    return found == service.by_port.end() ? nullptr : &found->second;
  }
  if (auto const slot = slot_number(label)) return only(std::ranges::equal_range(all, *slot, {}, &Server::slot));
  auto const instance = parse_id<InstanceId>(label);
  if (!instance || to_string(*instance) != label) return nullptr;
  auto const first = std::ranges::find(all, *instance, &Server::instance);
  return only(std::ranges::subrange(first, std::find_if(first, all.end(), [&](auto const& each) { return each.instance != *instance; })));
}

template <class Range>
Records* Zone::only(Range const& servers) {
  if (servers.empty()) return nullptr;
  clear(some_);
  some_.servers.all.assign(servers.begin(), servers.end());
  for (auto const& server : some_.servers.all) put(some_, server.target->address);
  drop_repeated(some_);
  return &some_;
}

// ---- making records

Zone::Service* Zone::service(std::string_view name) {
  auto const listed = directory_->services.find(name);
  if (listed == directory_->services.end()) return nullptr;
  auto known = services_.find(name);
  if (known == services_.end()) known = services_.try_emplace(std::string(name)).first;
  auto& service = known->second;
  if (service.entry == listed->second && service.nodes_version == nodes_version_) return &service;
  service.entry = listed->second;
  service.nodes_version = nodes_version_;
  make(service, name);
  return &service;
}

void Zone::make(Service& service, std::string_view name) const {
  service.targets.clear();
  service.by_port.clear();
  clear(service.all);  // whose turn it is stays
  for (auto const& endpoint : service.entry->endpoints) add(service, name, endpoint);
  auto const by_slot = [](Server const& a, Server const& b) {
    return std::tie(a.slot, a.instance, a.port) < std::tie(b.slot, b.instance, b.port);
  };
  std::ranges::sort(service.all.servers.all, by_slot);
  for (auto const& server : service.all.servers.all) put(service.all, server.target->address);
  drop_repeated(service.all);
}

void Zone::add(Service& service, std::string_view name, model::Endpoint const& endpoint) const {
  auto address = parse_address(endpoint.address);
  if (address && address->is_any()) {
    auto const node = directory_->nodes.find(endpoint.node);
    address = node == directory_->nodes.end() ? std::nullopt : parse_address(node->second);
  }
  if (!address) return;
  auto const* const target = this->target(service, name, endpoint, *address);
  if (!target) return;
  Server const server{endpoint.slot, endpoint.instance, endpoint.port, target};
  auto const protocol = protocol_label(endpoint.protocol);
  service.all.servers.all.push_back(server);
  service.by_port[std::string(protocol)];
  auto const number = std::to_string(endpoint.target);
  service.by_port[fmt::format("_{}.{}", number, protocol)].servers.all.push_back(server);
  if (endpoint.name.empty() || endpoint.name == number) return;
  service.by_port[fmt::format("_{}.{}", endpoint.name, protocol)].servers.all.push_back(server);
}

// Null: it has no name that could be asked for.
Target const* Zone::target(Service& service, std::string_view name, model::Endpoint const& endpoint, Address const& address) const {
  auto const node = directory_->nodes.find(endpoint.node);
  bool const is_nodes = node != directory_->nodes.end() && parse_address(node->second) == address && Name::parse(endpoint.node);
  auto const key = is_nodes ? endpoint.node : fmt::format("{} {}", to_string(endpoint.instance), endpoint.address);
  if (auto const known = service.targets.find(key); known != service.targets.end()) return &known->second;
  auto const host = is_nodes ? fmt::format("{}.{}", endpoint.node, kNode) : fmt::format("{}.{}", to_string(endpoint.instance), name);
  auto const full = Name::parse(fmt::format("{}.{}", host, to_string(domain_)));
  return full ? &service.targets.emplace(key, Target{*full, address}).first->second : nullptr;
}

}  // namespace davit::dns
