#include "app/cluster_node.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include "adapters/engine_docker/docker_engine.hpp"
#include "adapters/link_grpc/cluster_query.hpp"
#include "adapters/link_grpc/listener.hpp"
#include "adapters/link_grpc/master_link.hpp"
#include "adapters/store_etcd/etcd_store.hpp"
#include "app/consul_bootstrap.hpp"
#include "app/data_dir.hpp"
#include "app/environment.hpp"
#include "app/host.hpp"
#include "app/master_entry.hpp"
#include "app/master_part.hpp"
#include "app/node_identity.hpp"
#include "app/node_sweep.hpp"
#include "app/process.hpp"
#include "app/replace_file.hpp"
#include "app/version.hpp"
#include "app/worker_part.hpp"
#include "base/loopback.hpp"
#include "codec/records.hpp"
#include "model/records.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kClusterLimit = 60s;
constexpr Duration kConnectedLimit = 12s;
constexpr Duration kStopLimit = 2s;

std::optional<rpc::Tls> link_tls(Settings const& settings) {
  if (!settings.link_tls) return std::nullopt;
  return rpc::Tls{settings.link_tls->ca, settings.link_tls->certificate, settings.link_tls->key};
}

void warn(std::string const& text) { runtime::logger("link").warn("{}", text); }

// Where others reach what listens on all addresses.
HostPort link_host_port(Settings const& settings, std::uint16_t port) {
  bool const is_any = settings.link_listen.host == "0.0.0.0" || settings.link_listen.host == "::";
  return {is_any ? settings.advertise : settings.link_listen.host, port};
}
std::string link_address(Settings const& settings, std::uint16_t port) { return to_string(link_host_port(settings, port)); }

// The masters that this node was told of last: those it was started with may be gone when it starts again.
std::filesystem::path masters_file(Settings const& settings) { return settings.data_dir / "masters"; }

std::vector<std::string> read_masters(Settings const& settings) {
  std::vector<std::string> all;
  std::ifstream in(masters_file(settings));
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) all.push_back(std::move(line));
  }
  return all;
}

void write_masters(Settings const& settings, std::vector<std::string> const& all) {
  auto const written = replace_file(masters_file(settings), fmt::format("{}\n", fmt::join(all, "\n")));
  if (!written) warn(written.error().message);  // it is a help for the next start, and no more
}

// The worker's part with its link to the masters.
class LinkedWorker {
 public:
  LinkedWorker(runtime::AsioLoop& loop, Settings const& settings, engine_docker::EngineAddress address)
      : loop_(loop),
        settings_(settings),
        part_(loop, settings, std::move(address)) {}

  void start(model::AgentState state, std::vector<std::string> join, std::vector<model::Role> roles) {
    caller_ = {.id = state.node,
               .name = settings_.node,
               .cluster = state.cluster.value_or(ClusterId{}),
               .process = format_id60(random_id60()),
               .address = {}};
    link_.emplace(loop_, part_.engine(),
                  link_grpc::MasterLink::Options{.join = std::move(join),
                                                 .remembered = read_masters(settings_),
                                                 .on_told = [this](std::vector<std::string> const& all) { write_masters(settings_, all); },
                                                 .tls = link_tls(settings_),
                                                 .caller = [this] { return caller(); },
                                                 .on_refused = warn});
    part_.start(*link_, std::move(state), std::move(roles));
    link_->start();
  }

  WorkerPart& part() { return part_; }
  void stop() {
    link_.reset();
    part_.stop();
  }

 private:
  link_grpc::Caller caller() {
    if (auto const cluster = part_.agent().cluster()) caller_.cluster = *cluster;
    return caller_;
  }

  runtime::AsioLoop& loop_;
  Settings const& settings_;
  link_grpc::Caller caller_;
  WorkerPart part_;
  std::optional<link_grpc::MasterLink> link_;
};

// All parts of a master, in the order in which they are made; they go in the opposite one.
class ClusterMaster {
 public:
  ClusterMaster(Settings const& settings, std::optional<engine_docker::EngineAddress> address)
      : settings_(settings),
        worker_(address ? std::make_optional<LinkedWorker>(loop_, settings, *std::move(address)) : std::nullopt),
        ending_(loop_, worker_ ? &worker_->part() : nullptr, settings.stop_services,
                [this](std::function<void()> on_stopped) { stop(std::move(on_stopped)); }) {}

  Status start() {
    auto store = open_etcd(loop_, settings_.etcd);
    if (!store) return bad("etcd", store.error().message);
    store_ = *std::move(store);
    auto* const engine = worker_ ? &worker_->part().engine() : nullptr;
    // Which nodes are connected, the store does not say; two of them on one engine are workers' matter.
    TRY(auto state, find_identity(loop_, settings_.data_dir, engine,
                                  {.which = [this] { return read_cluster(); }, .is_connected = [](NodeId) { return false; }}));
    self_ = state.node;
    agents_.emplace(loop_, [this] { return accepted(); }, warn);
    peers_.emplace(loop_, link_grpc::PeerLink::Options{.self = self_,
                                                       .tls = link_tls(settings_),
                                                       .caller = [this] { return caller(); },
                                                       .accepted = [this] { return accepted(); },
                                                       .on_refused = warn});
    TRY(listener_,
        link_grpc::Listener::listen(loop_, *agents_, *peers_,
                                    {.address = to_string(settings_.link_listen),
                                     .tls = link_tls(settings_),
                                     .admit_agent = [this](auto const& each, auto const& present) { return admit_agent(each, present); },
                                     .admit_peer = [this](link_grpc::Caller const& each) { return admit_peer(each); },
                                     .on_refused = warn}));
    auto const address = link_address(settings_, listener_->port());
    part_.emplace(MasterPart::Ports{loop_, *store_, *agents_, *peers_, *agents_}, settings_, self_, address);
    TRY_VOID(part_->listen());
    part_->start();
    register_in_consul();
    if (worker_) worker_->start(std::move(state), {address}, {model::Role::Master, model::Role::Worker});
    return {};
  }

  int run() {
    loop_.run();
    if (consul_) loop_.run_until([this] { return consul_->is_stopped(); }, kStopLimit);
    listener_.reset();
    store_->stop();
    return 0;
  }

  std::uint16_t port() const { return part_->port(); }
  std::string link() const { return link_address(settings_, listener_->port()); }

 private:
  // Of the store; none where no cluster has begun in it.
  Result<ClusterId> read_cluster() {
    std::optional<Result<ports::RangeResult>> answer;
    auto const deadline = loop_.now().monotonic + kClusterLimit;
    store_->range({.prefix = model::cluster_key()}, deadline, [&answer](auto result) { answer = std::move(result); });
    static_cast<void>(loop_.run_until([&answer] { return answer.has_value(); }, kClusterLimit + 1s));
    if (!answer || !*answer) return fail(Code::Unavailable, "etcd does not tell which cluster this is; start davit again when it answers");
    if ((*answer)->items.empty()) return ClusterId{};
    auto const& item = (*answer)->items.front();
    TRY(auto const record, codec::decode_record(item.key, item.value));
    return std::get<model::ClusterRecord>(record).uid;
  }

  void register_in_consul() {
    if (!settings_.consul) return;
    bool const is_here_only = is_loopback(settings_.listen_host);
    bool const is_any = settings_.listen_host == "0.0.0.0" || settings_.listen_host == "::";
    auto const api = to_string(HostPort{is_any ? settings_.advertise : settings_.listen_host, part_->port()});
    consul_.emplace(loop_, *settings_.consul);
    entry_.emplace(loop_, *consul_,
                   MasterEntry::Who{self_, settings_.node, link_host_port(settings_, listener_->port()), is_here_only ? "" : api},
                   [this] { return cluster(); });
    sweep_.emplace(loop_, *consul_, part_->master());
  }

  ClusterId cluster() const { return part_ ? part_->master().view().cluster.record.uid : ClusterId{}; }
  link_grpc::Accepted accepted() const { return {self_, cluster(), settings_.node}; }
  link_grpc::Caller caller() const {
    return {.id = self_,
            .name = settings_.node,
            .cluster = cluster(),
            .process = part_ ? part_->master().process() : std::string(),
            .address = {}};
  }
  Status admit_agent(link_grpc::Caller const& each, std::optional<link_grpc::AgentLink::Present> const& present) const {
    if (!part_) return starting();
    auto applicant = applicant_of(each);
    if (present) {
      auto const& rival = present->caller;
      applicant.rival = {rival.name, rival.address, present->silent_for, rival.process == each.process};
    }
    return part_->master().admit(applicant);
  }
  Status admit_peer(link_grpc::Caller const& each) const { return part_ ? part_->master().admit_peer(applicant_of(each)) : starting(); }
  static master::Applicant applicant_of(link_grpc::Caller const& each) {
    return {.id = each.id, .name = each.name, .cluster = each.cluster, .process = each.process, .rival = {}};
  }
  static Status starting() { return fail(Code::Unavailable, "this master starts"); }

  // What this master holds goes to others before it is gone.
  void stop(std::function<void()> on_stopped) {
    if (!part_) return on_stopped();
    leave_consul([this, on_stopped = std::move(on_stopped)] {
      part_->stop_serving([this, on_stopped] {
        part_->leave([this, on_stopped] {
          if (worker_) worker_->stop();
          if (consul_) stop_consul();
          part_->stop();
          on_stopped();
        });
      });
    });
  }

  // First of all: nobody is to come by it any more.
  void leave_consul(std::function<void()> on_left) {
    if (entry_) entry_->leave(std::move(on_left));
    else on_left();
  }

  void stop_consul() {
    entry_->stop();
    sweep_->stop();
    consul_->stop();
  }

  Settings const& settings_;
  runtime::AsioLoop loop_;
  NodeId self_;
  std::optional<LinkedWorker> worker_;
  std::unique_ptr<store_etcd::EtcdStore> store_;
  std::optional<link_grpc::AgentLink> agents_;
  std::optional<link_grpc::PeerLink> peers_;
  std::unique_ptr<link_grpc::Listener> listener_;
  std::optional<MasterPart> part_;
  std::optional<registry_consul::ConsulRegistry> consul_;
  std::optional<MasterEntry> entry_;
  std::optional<NodeSweep> sweep_;
  Ending ending_;
};

// As this node would call; nothing when no master answers as asked.
std::optional<ClusterId> ask_masters(runtime::AsioLoop& loop, Settings const& settings, NodeId self, Duration limit) {
  std::vector<std::string> masters;
  for (auto const& each : settings.join) masters.push_back(to_string(each));
  link_grpc::ClusterQuery const query(loop, {.masters = std::move(masters),
                                             .tls = link_tls(settings),
                                             .caller = {.id = self, .name = settings.node, .cluster = {}, .process = {}, .address = {}},
                                             .on_refused = warn});
  static_cast<void>(loop.run_until([&query] { return query.answer().has_value(); }, limit));
  return query.answer();
}

ClusterQuestions questions(runtime::AsioLoop& loop, Settings const& settings) {
  return {.which = [&loop, &settings]() -> Result<ClusterId> {
            if (auto const cluster = ask_masters(loop, settings, {random_id60()}, kClusterLimit)) return *cluster;
            return fail(Code::Unavailable, "no master tells which cluster this is; start davit again when one answers");
          },
          // The connection of a host that vanished is noticed after eight seconds.
          .is_connected = [&loop, &settings](NodeId node) { return !ask_masters(loop, settings, node, kConnectedLimit); }};
}

Result<engine_docker::EngineAddress> engine_of(Settings const& settings) {
  return engine_docker::find_endpoint(settings.docker_host, environment);
}

}  // namespace

Result<int> run_master(Settings const& given) {
  auto settings = given;
  TRY_VOID(prepare_process(settings));
  std::optional<engine_docker::EngineAddress> engine;
  if (settings.is_worker) {
    TRY(engine, engine_of(settings));
  }
  TRY(auto const lock, DataDirLock::take(settings.data_dir));
  TRY_VOID(find_etcd_by_consul(settings));
  ClusterMaster master(settings, std::move(engine));
  TRY_VOID(master.start());
  fmt::print("davit {} master{} on node {}\n\n", kVersion, settings.is_worker ? " and worker" : "", settings.node);
  fmt::print("  store      {}\n", fmt::join(settings.etcd.urls, ", "));
  fmt::print("  data       {}\n", settings.data_dir.string());
  fmt::print("  API        http://{} and {}\n", to_string(HostPort{settings.listen_host, master.port()}), settings.socket.string());
  if (settings.consul) fmt::print("  Consul     {}\n", http::to_string(settings.consul->endpoint));
  fmt::print("  link       {}{}\n\n", master.link(), settings.link_tls ? "" : " (no certificates)");
  fmt::print("On each further machine:  davit worker --join {}{}\n\n", master.link(),
             settings.link_tls ? " --link-ca … --link-cert … --link-key …" : " --insecure");
  std::fflush(stdout);
  return master.run();
}

Result<int> run_worker(Settings const& given) {
  auto settings = given;
  TRY_VOID(prepare_process(settings));
  TRY(auto engine, engine_of(settings));
  TRY(auto const lock, DataDirLock::take(settings.data_dir));
  TRY_VOID(find_masters_by_consul(settings));
  runtime::AsioLoop loop;
  LinkedWorker worker(loop, settings, engine);
  std::vector<std::string> join;
  for (auto const& each : settings.join) join.push_back(to_string(each));
  TRY(auto state, find_identity(loop, settings.data_dir, &worker.part().engine(), questions(loop, settings)));
  Ending const ending(loop, &worker.part(), settings.stop_services, [&worker](std::function<void()> const& on_stopped) {
    worker.stop();
    on_stopped();
  });
  fmt::print("davit {} worker on node {}\n\n", kVersion, settings.node);
  fmt::print("  engine     {}\n", http::to_string(engine.endpoint));
  fmt::print("  data       {}\n", settings.data_dir.string());
  fmt::print("  masters    {}\n", join.empty() ? "those that it was told of last" : fmt::format("{}", fmt::join(join, ", ")));
  if (settings.consul) fmt::print("  Consul     {}\n", http::to_string(settings.consul->endpoint));
  fmt::print("  instances  reached at {}, ports {}-{}\n\n", settings.advertise, settings.ports.first, settings.ports.last);
  std::fflush(stdout);
  worker.start(std::move(state), std::move(join), {model::Role::Worker});
  loop.run();
  return 0;
}

}  // namespace davit::app
