#include "app/one_machine.hpp"

#include <optional>

#include <fmt/core.h>

#include "adapters/engine_docker/docker_engine.hpp"
#include "adapters/link_local/link_local.hpp"
#include "adapters/store_sqlite/sqlite_store.hpp"
#include "app/data_dir.hpp"
#include "app/environment.hpp"
#include "app/host.hpp"
#include "app/master_part.hpp"
#include "app/process.hpp"
#include "app/version.hpp"
#include "app/worker_part.hpp"
#include "base/check.hpp"
#include "codec/records.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {
namespace {

constexpr Duration kReadLimit = 10s;

// All parts of the process, in the order in which they are made; they go in the opposite one.
class OneMachine {
 public:
  OneMachine(Settings const& settings, engine_docker::EngineAddress address)
      : settings_(settings),
        worker_(loop_, settings, std::move(address)),
        ending_(loop_, &worker_, settings.stop_services, [this](std::function<void()> on_stopped) { stop(std::move(on_stopped)); }) {}

  Status start() {
    TRY_VOID(refuse_other_clusters());
    TRY(store_, store_sqlite::SqliteStore::open(loop_, store_file(settings_.data_dir)));
    TRY(auto state, load_agent_state(settings_.data_dir));
    if (!state) {
      // A lost state file, or a backup on a new machine: the one node of the store is this one.
      TRY(auto const recorded, read_recorded_node());
      state = model::AgentState{.node = recorded.value_or(NodeId{random_id60()})};
    }
    auto const self = state->node;
    link_.emplace(loop_, worker_.engine(), self);
    master_.emplace(MasterPart::Ports{loop_, *store_, *link_, peers_, *link_}, settings_, self, settings_.advertise);
    TRY_VOID(master_->listen());
    master_->start();
    worker_.start(*link_, *std::move(state), {model::Role::Master, model::Role::Worker});
    link_->connect();
    return {};
  }

  int run() {
    loop_.run();
    store_->stop();
    return 0;
  }

  std::uint16_t port() const { return master_->port(); }

 private:
  // With a new store a new cluster would begin, which knows nothing of this node's containers.
  Status refuse_other_clusters() const {
    auto const& folder = settings_.data_dir;
    if (std::filesystem::exists(store_file(folder))) return {};
    TRY(auto const state, load_agent_state(folder));
    if (std::filesystem::exists(copied_store_file(folder))) {
      return fail(Code::Invalid,
                  fmt::format("this machine's services were taken into a cluster: start it with davit master --worker --etcd … "
                              "--data-dir {0}. To go back for good, rename {1} to {2}",
                              folder.string(), copied_store_file(folder).string(), store_file(folder).string()));
    }
    if (!state || !state->cluster) return {};
    return fail(Code::Invalid,
                fmt::format("{} belongs to a node of cluster {}, whose store is not here: restore a backup (davit store restore), "
                            "start it as davit worker or davit master of that cluster, or give another --data-dir",
                            folder.string(), davit::to_string(*state->cluster)));
  }

  Result<std::optional<NodeId>> read_recorded_node() {
    std::optional<Result<ports::RangeResult>> nodes;
    store_->range({.prefix = std::string(model::kNodesPrefix)}, loop_.now().monotonic + kReadLimit,
                  [&nodes](Result<ports::RangeResult> page) { nodes = std::move(page); });
    loop_.run_until([&nodes] { return nodes.has_value(); }, kReadLimit);
    CHECK(nodes, "the store did not answer");
    if (!*nodes) return std::unexpected((*nodes).error());
    if ((*nodes)->items.size() != 1) return std::nullopt;
    TRY(auto const record, codec::decode_record((*nodes)->items[0].key, (*nodes)->items[0].value));
    return std::get<model::NodeRecord>(record).id;
  }

  void stop(std::function<void()> on_stopped) {
    master_->stop_serving([this, on_stopped = std::move(on_stopped)] {
      worker_.stop();
      master_->stop();
      on_stopped();
    });
  }

  Settings const& settings_;
  runtime::AsioLoop loop_;
  WorkerPart worker_;
  std::optional<link_local::LocalLink> link_;
  link_local::NoPeers peers_;
  std::unique_ptr<store_sqlite::SqliteStore> store_;
  std::optional<MasterPart> master_;
  Ending ending_;
};

void print_welcome(Settings const& settings, engine_docker::EngineAddress const& address, std::uint16_t port) {
  auto const host = settings.listen_host.contains(':') ? fmt::format("[{}]", settings.listen_host) : settings.listen_host;
  fmt::print("davit {} on node {}\n\n", kVersion, settings.node);
  fmt::print("  engine     {}\n", http::to_string(address.endpoint));
  fmt::print("  data       {}\n", settings.data_dir.string());
  fmt::print("  API        http://{}:{} and {}\n", host, port, settings.socket.string());
  if (settings.consul) fmt::print("  Consul     {}\n", http::to_string(settings.consul->endpoint));
  fmt::print("  instances  reached at {}, ports {}-{}\n\n", settings.advertise, settings.ports.first, settings.ports.last);
  fmt::print("Try, in another terminal:\n");
  fmt::print("  davit service create --name web --instances 3 -p 80 davit/hello:1\n");
  fmt::print("  davit service ps web\n");
  fmt::print("  curl -X PUT --json '{{\"instances\":5}}' {}:{}/service/web\n\n", settings.listen_host == "127.0.0.1" ? "localhost" : host,
             port);
  std::fflush(stdout);
}

}  // namespace

Result<int> run_one_machine(Settings const& settings) {
  TRY_VOID(prepare_process(settings));
  TRY(auto address, engine_docker::find_endpoint(settings.docker_host, environment));
  TRY(auto const lock, DataDirLock::take(settings.data_dir));
  OneMachine machine(settings, address);
  TRY_VOID(machine.start());
  print_welcome(settings, address, machine.port());
  return machine.run();
}

}  // namespace davit::app
