#include "app/one_machine.hpp"

#include <csignal>
#include <cstdlib>

#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapters/engine_docker/docker_engine.hpp"
#include "adapters/link_local/link_local.hpp"
#include "adapters/store_sqlite/sqlite_store.hpp"
#include "api/api.hpp"
#include "app/data_dir.hpp"
#include "app/host.hpp"
#include "app/version.hpp"
#include "base/check.hpp"
#include "codec/records.hpp"
#include "drivers/agent_driver.hpp"
#include "drivers/master_driver.hpp"
#include "http/server.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/log.hpp"

namespace davit::app {
namespace {

constexpr Duration kStopServicesLimit = 90s;
constexpr Duration kStopLimit = 10s;

std::optional<std::string> environment(std::string const& name) {
  auto const* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void log_transition(master::Transition const& change) {
  auto subject = change.service.empty() ? change.node : change.service;
  if (change.slot != 0) subject = fmt::format("{}.{}", change.service, change.slot);
  auto line = fmt::format("{} {}", change.type, subject);
  if (change.slot != 0 && !change.node.empty()) line += fmt::format(" on {}", change.node);
  if (change.reason != model::Reason::None) line += fmt::format(" [{}]", model::to_string(change.reason));
  if (!change.message.empty()) line += fmt::format(": {}", change.message);
  runtime::logger("master").info("{}", line);
}

template <class Noted>
void log_note(std::string_view component, Noted const& note) {
  runtime::logger(component).log(note.is_warning ? spdlog::level::warn : spdlog::level::info, "{}", note.text);
}

// All parts of the process, in the order in which they are made; they go in the opposite one.
class OneMachine {
 public:
  OneMachine(Settings const& settings, engine_docker::EngineAddress address)
      : settings_(settings),
        state_file_(loop_, settings.data_dir),
        engine_(loop_, {std::move(address), engine_docker::docker_config_folder(environment)}) {}

  Status open() {
    TRY(store_, store_sqlite::SqliteStore::open(loop_, store_file(settings_.data_dir)));
    TRY(auto saved, load_agent_state(settings_.data_dir));
    if (!saved) {
      // A lost state file, or a backup on a new machine: the one node of the store is this one.
      TRY(auto const recorded, read_recorded_node());
      saved = model::AgentState{.node = recorded.value_or(NodeId{random_id60()})};
    }
    state_ = *std::move(saved);
    link_.emplace(loop_, engine_, state_.node);
    return {};
  }

  Status start() {
    master_.emplace(drivers::MasterDriver::Ports{loop_, *store_, *link_, peers_},
                    master::Options{.new_cluster = {random_id60()},
                                    .session = fmt::format("{}.{}", to_string(state_.node), format_id60(random_id60())),
                                    .self = state_.node,
                                    .name = settings_.node,
                                    .address = settings_.advertise},
                    drivers::MasterDriver::Listeners{[this](master::Transition const& change) {
                                                       log_transition(change);
                                                       api_->on_changed(change);
                                                     },
                                                     [](master::Noted const& note) { log_note("master", note); }});
    api_.emplace(
        loop_, *master_, *link_,
        api::ApiOptions{
            .version = std::string(kVersion), .node = settings_.node, .token = settings_.api_token, .listen_host = settings_.listen_host});
    server_.emplace(loop_, api_->server_options());
    TRY(port_, server_->listen_tcp(settings_.listen_host, settings_.listen_port));
    TRY_VOID(server_->listen_unix(settings_.socket.string(), 0600));

    agent::Options options{.ports = settings_.ports};
    options.facts.name = settings_.node;
    options.facts.address = settings_.advertise;
    options.facts.roles = {model::Role::Master, model::Role::Worker};
    agent_.emplace(drivers::AgentDriver::Ports{loop_, engine_, *link_, state_file_, load_meter_}, std::move(options), std::move(state_),
                   [](agent::Noted const& note) { log_note("agent", note); });
    loop_.on_signals({SIGTERM, SIGINT}, [this](int) { on_signal(); });
    master_->start();
    agent_->start();
    link_->connect();
    return {};
  }

  int run() {
    loop_.run();
    return 0;
  }

  std::uint16_t port() const { return port_; }

 private:
  Result<std::optional<NodeId>> read_recorded_node() {
    std::optional<Result<ports::RangeResult>> nodes;
    store_->range({.prefix = std::string(model::kNodesPrefix)}, loop_.now().monotonic + kStopLimit,
                  [&nodes](Result<ports::RangeResult> page) { nodes = std::move(page); });
    loop_.run_until([&nodes] { return nodes.has_value(); }, kStopLimit);
    CHECK(nodes, "the store did not answer");
    if (!*nodes) return std::unexpected((*nodes).error());
    if ((*nodes)->items.size() != 1) return std::nullopt;
    TRY(auto const record, codec::decode_record((*nodes)->items[0].key, (*nodes)->items[0].value));
    return std::get<model::NodeRecord>(record).id;
  }

  // The first signal stops in good order, the second at once: state is durable at any moment.
  void on_signal() {
    if (std::exchange(is_stopping_, true)) std::_Exit(1);
    auto& log = runtime::logger("app");
    if (!settings_.stop_services) {
      log.info("stopping; the containers go on running");
      return stop();
    }
    log.info("stopping all instances, then davit");
    stop_by_ = loop_.now().monotonic + kStopServicesLimit;
    agent_->stop_services();
    await_services();
  }

  void await_services() {
    if (agent_->agent().all_stopped() || loop_.now().monotonic >= stop_by_) return stop();
    timer_->set(loop_.now().monotonic + 50ms, [this] { await_services(); });
  }

  void stop() {
    stop_by_ = loop_.now().monotonic + kStopLimit;
    server_->stop([this] {
      agent_->stop();
      master_->stop();
      engine_.stop();
      await_engine();
    });
  }

  void await_engine() {
    if (!engine_.is_stopped() && loop_.now().monotonic < stop_by_) {
      timer_->set(loop_.now().monotonic + 5ms, [this] { await_engine(); });
      return;
    }
    store_->stop();
    loop_.stop();
  }

  Settings const& settings_;
  runtime::AsioLoop loop_;
  AgentStateFile state_file_;
  ProcLoadMeter load_meter_;
  engine_docker::DockerEngine engine_;
  std::optional<link_local::LocalLink> link_;
  link_local::NoPeers peers_;
  model::AgentState state_;
  std::unique_ptr<store_sqlite::SqliteStore> store_;
  std::optional<drivers::MasterDriver> master_;
  std::optional<drivers::AgentDriver> agent_;
  std::optional<api::Api> api_;
  std::optional<http::Server> server_;
  std::uint16_t port_ = 0;
  bool is_stopping_ = false;
  Monotonic stop_by_{};
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

void print_welcome(Settings const& settings, engine_docker::EngineAddress const& address, std::uint16_t port) {
  auto const host = settings.listen_host.contains(':') ? fmt::format("[{}]", settings.listen_host) : settings.listen_host;
  fmt::print("davit {} on node {}\n\n", kVersion, settings.node);
  fmt::print("  engine     {}\n", http::to_string(address.endpoint));
  fmt::print("  data       {}\n", settings.data_dir.string());
  fmt::print("  API        http://{}:{} and {}\n", host, port, settings.socket.string());
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
  TRY_VOID(runtime::init_log(settings.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  TRY(auto address, engine_docker::find_endpoint(settings.docker_host, environment));
  TRY(auto const lock, DataDirLock::take(settings.data_dir));
  OneMachine machine(settings, address);
  TRY_VOID(machine.open());
  TRY_VOID(machine.start());
  print_welcome(settings, address, machine.port());
  return machine.run();
}

}  // namespace davit::app
