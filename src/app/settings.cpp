#include "app/settings.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>

#include <fmt/core.h>
#include <unistd.h>

#include "app/consul_settings.hpp"
#include "app/guard_folder.hpp"
#include "app/host.hpp"
#include "base/loopback.hpp"
#include "model/node_label.hpp"

namespace davit::app {
namespace {

constexpr std::uint16_t kLinkPort = 4821;
constexpr std::string_view kByConsul = "consul:";  // in place of etcd's addresses: the service as which Consul knows them
constexpr std::size_t kMostNodeName = 63;
constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un's limit

bool is_node_name(std::string_view name) {
  auto const is_good = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= kMostNodeName && std::ranges::all_of(name, is_good);
}

Status read_listen(SettingReader const& reader, Settings& settings) {
  auto const text = reader.text("listen");
  if (text.empty()) return {};
  TRY(auto address, parse_host_port("listen", text));
  settings.listen_host = std::move(address.host);
  settings.listen_port = address.port;
  return {};
}

Status read_token(SettingReader const& reader, Settings& settings) {
  if (auto const file = reader.text("api-token-file"); !file.empty()) {
    TRY(auto token, reader.content_of_file("api-token-file"));
    while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) token.pop_back();
    if (token.size() < 16)
      return bad("api-token-file", fmt::format("{} holds no token of at least 16 characters; make one with: openssl rand -hex 32", file));
    settings.api_token = std::move(token);
  }
  TRY(auto const is_insecure, reader.is_on("insecure"));
  if (!is_loopback(settings.listen_host) && !settings.api_token && !is_insecure) {
    return bad("listen", fmt::format("{} can be reached from other machines, and whoever reaches the API commands this one: "
                                     "give an --api-token-file, or --insecure to go without",
                                     settings.listen_host));
  }
  return {};
}

Status read_port_range(SettingReader const& reader, Settings& settings) {
  auto const text = reader.text("port-range");
  if (text.empty()) return {};
  auto const dash = text.find('-');
  if (dash == std::string::npos) return bad("port-range", fmt::format("'{}' is not FIRST-LAST, as in 20000-29999", text));
  TRY(settings.ports.first, parse_port("port-range", std::string_view(text).substr(0, dash)));
  TRY(settings.ports.last, parse_port("port-range", std::string_view(text).substr(dash + 1)));
  if (settings.ports.first == 0 || settings.ports.first > settings.ports.last)
    return bad("port-range", fmt::format("'{}' holds no port", text));
  return {};
}

Status read_labels(SettingReader const& reader, Settings& settings) {
  TRY(settings.labels, reader.pairs("labels"));
  for (auto const& [key, value] : settings.labels) {
    if (auto const good = model::check_label_key(key); !good) return bad("labels", fmt::format("'{}': {}", key, good.error().message));
    if (auto const good = model::check_label_value(value); !good) return bad("labels", fmt::format("{}: {}", key, good.error().message));
  }
  return {};
}

// ---- what a cluster needs besides

struct ClusterReader {
  SettingReader const& reader;
  Settings& settings;

  Status read_etcd() const {
    auto urls = reader.list("etcd");
    if (urls.empty() && settings.consul) urls = {std::string(kByConsul) + "etcd"};
    if (urls.empty())
      return bad("etcd", "a master needs the addresses of an etcd cluster, as in http://10.0.0.1:2379,http://10.0.0.2:2379, or --consul");
    if (urls.front().starts_with(kByConsul)) {
      settings.etcd_service = urls.front().substr(kByConsul.size());
      if (settings.etcd_service.empty() || urls.size() > 1) return bad("etcd", "consul:NAME stands alone: the name of a service in Consul");
      if (!settings.consul) return bad("etcd", fmt::format("{} is found by --consul, which is not given", urls.front()));
      urls.clear();
    }
    TRY(settings.etcd, read_etcd_access(reader, std::move(urls)));
    return {};
  }

  Status read_link_tls() const {
    TRY(auto ca, reader.content_of_file("link-ca"));
    TRY(auto certificate, reader.content_of_file("link-cert"));
    TRY(auto key, reader.content_of_file("link-key"));
    if (ca.empty() && certificate.empty() && key.empty()) return {};
    if (ca.empty() || certificate.empty() || key.empty()) {
      return bad("link-cert", "--link-ca, --link-cert and --link-key go together: both ends of the link show a certificate");
    }
    settings.link_tls = LinkTls{std::move(ca), std::move(certificate), std::move(key)};
    return {};
  }

  Status read_link_listen() const {
    auto const text = reader.text("link-listen");
    settings.link_listen = {settings.advertise, kLinkPort};
    if (!text.empty()) {
      TRY(settings.link_listen, parse_host_port("link-listen", text, kLinkPort));
    }
    return demand_certificates("link-listen", settings.link_listen.host);
  }

  Status read_join() const {
    for (auto const& text : reader.list("join")) {
      if (text.contains('/')) return bad("join", fmt::format("'{}' is not ADDR[:PORT]: the link is no URL", text));
      TRY(auto address, parse_host_port("join", text, kLinkPort));
      if (address.port == 0 || text.starts_with(':')) return bad("join", fmt::format("'{}' is no master's address", text));
      TRY_VOID(demand_certificates("join", address.host));
      settings.join.push_back(std::move(address));
    }
    if (settings.join.empty() && !settings.consul)
      return bad("join",
                 "a worker needs the address of a master, as in 10.0.0.11:4821, or --consul; it learns of the others from that one");
    return {};
  }

  Status demand_certificates(std::string_view option, std::string const& host) const {
    if (settings.link_tls || settings.is_insecure || is_loopback(host)) return {};
    return bad(option, fmt::format("{} is on the network, and whoever speaks there commands the hosts: give certificates with --link-ca, "
                                   "--link-cert and --link-key, or --insecure to go without",
                                   host));
  }

  Status read_downing() const {
    auto const text = reader.text("downing");
    if (text.empty()) return {};
    auto const policy = cluster::parse_downing_policy(text);
    if (!policy) return bad("downing", policy.error().message);
    settings.downing = *policy;
    return {};
  }
};

struct OptionRow {
  std::vector<Process> processes;
  cli::Option option;
};

std::vector<Process> const kAll{Process::Up, Process::Master, Process::Worker};
std::vector<Process> const kMasters{Process::Up, Process::Master};
std::vector<Process> const kClusterMasters{Process::Master};
std::vector<Process> const kCluster{Process::Master, Process::Worker};

std::vector<OptionRow> option_rows() {
  return {
      {{Process::Master},
       {.name = "etcd",
        .value = "URL[,URL]",
        .help = "the members of the etcd cluster that keeps the state; or consul:NAME, as which Consul knows them (with --consul: "
                "consul:etcd)"}},
      {{Process::Worker},
       {.name = "join",
        .value = "ADDR[:PORT][,…]",
        .help = "masters to begin with; any one that lives tells of the others (default: by --consul)"}},
      {kMasters, {.name = "listen", .value = "ADDR:PORT", .help = "where the API answers (default 127.0.0.1:4820)"}},
      {kClusterMasters,
       {.name = "link-listen", .value = "ADDR[:PORT]", .help = "where workers and other masters call (default: port 4821 of --advertise)"}},
      {kAll, {.name = "data-dir", .value = "DIR", .help = "where state is kept (default ~/.local/share/davit, for root /var/lib/davit)"}},
      {kAll, {.name = "node", .value = "NAME", .help = "this node's name (default: the host's)"}},
      {kAll,
       {.name = "advertise",
        .value = "ADDR",
        .help = "the address under which this node and its instances are reached (default: of the default route)"}},
      {kClusterMasters, {.name = "worker", .help = "run instances on this node as well"}},
      {kAll,
       {.name = "labels",
        .value = "KEY=VALUE[,…]",
        .help = "the node's own labels, for placement; one set by davit node update goes before"}},
      {kAll, {.name = "docker-host", .value = "URL", .help = "the engine, as in DOCKER_HOST (default: as the docker command finds it)"}},
      {kAll, {.name = "port-range", .value = "FIRST-LAST", .help = "ports picked for instances (default 20000-29999)"}},
      {kAll, {.name = "dns-domain", .value = "DOMAIN", .help = "under which DNS answers for services, as web.DOMAIN (default davit)"}},
      {kAll,
       {.name = "dns-listen",
        .value = "ADDR[:PORT]",
        .help = "where DNS answers, or none (default: port 53 of the engine's bridge, which containers ask)"}},
      {kMasters, {.name = "api-token-file", .value = "FILE", .help = "the token that API clients must present"}},
      {kCluster, {.name = "link-ca", .value = "FILE", .help = "who signs the certificates of nodes (PEM)"}},
      {kCluster, {.name = "link-cert", .value = "FILE", .help = "this node's certificate, for its --advertise address"}},
      {kCluster, {.name = "link-key", .value = "FILE", .help = "the key of that certificate"}},
      {kClusterMasters,
       {.name = "downing",
        .value = "POLICY",
        .help = "when nodes are declared down: majority (default), quorum:N, never, any; the same at every master"}},
      {kMasters, {.name = "insecure", .help = "reach beyond this machine without token or certificates"}},
      {{Process::Worker}, {.name = "insecure", .help = "reach masters without certificates"}},
      {kAll,
       {.name = "log-level",
        .value = "LEVEL",
        .help = "trace, debug, info, warn, error or off (default info)",
        .words = {"trace", "debug", "info", "warn", "error", "off"}}},
      {kAll, {.name = "run-dir", .value = "DIR", .help = "what is shared with the guard until the next boot (default /run/davit)"}},
      {kAll, {.name = "stop-services", .help = "stop this node's instances when davit stops; they start again with it"}},
      {kAll, {.name = "config", .value = "FILE", .help = "a YAML file with these settings under the same names"}},
  };
}

}  // namespace

std::vector<cli::Option> options_of(Process process) {
  std::vector<cli::Option> all;
  for (auto& row : option_rows()) {
    if (std::ranges::find(row.processes, process) != row.processes.end()) all.push_back(std::move(row.option));
  }
  std::ranges::move(consul_options(), std::back_inserter(all));
  if (process == Process::Master) std::ranges::move(etcd_access_options(), std::back_inserter(all));
  return all;
}

std::filesystem::path data_dir_of(std::string const& given, Environment const& environment) {
  if (!given.empty()) return std::filesystem::absolute(given);
  if (geteuid() == 0) return "/var/lib/davit";
  if (auto const data = environment("XDG_DATA_HOME"); data && !data->empty()) return std::filesystem::path(*data) / "davit";
  return std::filesystem::path(environment("HOME").value_or("/")) / ".local/share/davit";
}

Result<Settings> read_settings(Process process, cli::Invocation const& invocation, Environment const& environment) {
  TRY(auto const reader, SettingReader::open(invocation, environment, options_of(process)));
  Settings settings;
  auto const data_dir = reader.text("data-dir");
  settings.data_dir = data_dir_of(data_dir, environment);
  settings.socket = geteuid() == 0 && data_dir.empty() ? std::filesystem::path("/run/davit.sock") : settings.data_dir / "davit.sock";
  if (settings.socket.string().size() > kMaxSocketPath) {
    return bad("data-dir", fmt::format("{} is too long for a unix socket in it (at most {} characters)", settings.data_dir.string(),
                                       kMaxSocketPath - 11));
  }
  settings.node = reader.text("node");
  if (settings.node.empty()) settings.node = host_name();
  if (!is_node_name(settings.node)) {
    return bad("node",
               fmt::format("'{}' is no name of a node: letters, digits, '.', '-' and '_', at most {}", settings.node, kMostNodeName));
  }
  settings.advertise = reader.text("advertise");
  if (settings.advertise.empty()) settings.advertise = default_route_address();
  settings.docker_host = reader.text("docker-host");
  if (auto const level = reader.text("log-level"); !level.empty()) settings.log_level = level;
  auto const run_dir = reader.text("run-dir");
  settings.run_dir = run_dir.empty() ? std::filesystem::path(kDefaultRunDir) : std::filesystem::absolute(run_dir);
  TRY(settings.stop_services, reader.is_on("stop-services"));
  TRY_VOID(read_port_range(reader, settings));
  TRY_VOID(read_labels(reader, settings));
  TRY(settings.dns, read_dns_settings(reader));
  TRY(settings.consul, read_consul(reader, environment));
  TRY(settings.is_insecure, reader.is_on("insecure"));
  ClusterReader const cluster{reader, settings};
  settings.is_worker = process != Process::Master;
  if (process != Process::Worker) {
    TRY_VOID(read_listen(reader, settings));
    TRY_VOID(read_token(reader, settings));
    TRY_VOID(cluster.read_downing());
  }
  if (process != Process::Up) TRY_VOID(cluster.read_link_tls());
  if (process == Process::Master) {
    TRY_VOID(cluster.read_etcd());
    TRY_VOID(cluster.read_link_listen());
    TRY(settings.is_worker, reader.is_on("worker"));
    if (!settings.is_worker && !settings.labels.empty())
      return bad("labels", "labels are for placement, and this master runs no instances: give it --worker as well, or no labels");
    for (auto const* const option : {"dns-listen", "dns-domain"}) {
      if (!settings.is_worker && !reader.text(option).empty())
        return bad(option, "DNS is served by workers, and this master is none: give it --worker as well, or leave this out");
    }
  }
  if (process == Process::Worker) TRY_VOID(cluster.read_join());
  return settings;
}

}  // namespace davit::app
