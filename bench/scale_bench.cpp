// One master with as many agents and instances as the arguments say, all in one process and without a network: placements per
// second until the agents acknowledge them, memory, the longest control step, the same for a new master that takes all of it
// over, and the removal of a service. The agents are simulated: they admit every offer and report it running at once, with all that
// a real report has in it. Beats come as often as they would; the time that the agents take is in the figures, their memory is told
// apart. Events are stepped as the production driver does: all that have come, then a tick if one is due.
//
//   davit_scale_bench [NODES INSTANCES[/SERVICES]]...      default: 100 10000 1000 100000, in 20 services
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <malloc.h>
#include <sys/resource.h>

#include "core/master/master.hpp"

namespace davit::bench {
namespace {

using Clock = std::chrono::steady_clock;
namespace m = davit::master;

constexpr std::size_t kServices = 20;
constexpr std::size_t kFullStatesAtOnce = 64;  // that an agent would send while others wait
constexpr std::string_view kDigest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double live_mebibytes() {
  auto const info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / (1 << 20);
}

double resident_mebibytes() {
  double all = 0;
  double resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * 4096 / (1 << 20);
}

struct Longest {
  double milliseconds = 0;
  std::string_view what;
};

// The store of one writer: every compare holds.
class Store {
 public:
  m::StoreBatch all() const {
    m::StoreBatch batch{.revision = revision_};
    for (auto const& [key, kept] : records_) batch.changes.push_back({key, kept.record, kept.create_revision, kept.mod_revision});
    return batch;
  }
  m::StoreBatch apply(m::Write const& write) {
    m::StoreBatch batch{.revision = ++revision_};
    for (auto const& record : write.puts) {
      auto const key = model::key_of(record);
      auto& kept = records_[key];
      if (kept.create_revision == 0) kept.create_revision = revision_;
      kept.mod_revision = revision_;
      kept.record = record;
      batch.changes.push_back({key, record, kept.create_revision, revision_});
    }
    for (auto const& key : write.erases) {
      if (records_.erase(key) > 0) batch.changes.push_back({.key = key, .mod_revision = revision_});
    }
    return batch;
  }
  std::int64_t revision() const { return revision_; }

 private:
  struct Kept {
    model::Record record;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
  };
  std::map<std::string, Kept> records_;
  std::int64_t revision_ = 1;
};

struct Running {
  InstanceId id;
  ServiceUid uid;
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  std::uint16_t service = 0;
};
struct Agent {
  NodeId id;
  std::vector<Running> all;
  Monotonic stamp{};
  Monotonic next_beat{};
  Duration interval = 1s;
};

class Cluster {
 public:
  Cluster(std::size_t nodes, std::string constraint) : constraint_(std::move(constraint)) {
    for (std::size_t i = 0; i < nodes; ++i) {
      agents_.push_back({.id = {stable_hash(std::to_string(i)) & NodeId::kMask}});
      by_id_[agents_.back().id] = i;
    }
    begin_master("first");
  }

  void begin_master(std::string session) {
    queue_.clear();
    fences_.clear();
    master_ = std::make_unique<m::Master>(m::Options{.new_cluster = {1}, .session = std::move(session), .self = {7}, .name = "m1"});
    queue_.push_back(m::Started{});
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      queue_.push_back(m::FromAgent{agents_[i].id, model::AgentHello{facts(i)}});
      agents_[i].next_beat = now();
      agents_[i].stamp = {};
    }
  }

  void create_services(std::size_t instances, std::size_t services) {
    for (std::size_t i = 0; i < services; ++i) {
      model::ServiceSpec spec{.image = "registry.example/web:1"};
      spec.ports = {{.target = 80}};
      spec.instances = static_cast<std::int64_t>(instances / services);
      if (!constraint_.empty()) spec.placement.constraints = {constraint_};
      names_.push_back(fmt::format("web-{}", i));
      queue_.push_back(
          m::CommandArrived{static_cast<m::CommandId>(i + 1),
                            {.service = names_.back(), .body = model::Create{std::make_shared<model::ServiceSpec const>(spec)}}});
    }
  }

  void remove_service() {
    queue_.push_back(m::CommandArrived{static_cast<m::CommandId>(names_.size() + 1), {.service = names_.front(), .body = model::Remove{}}});
  }

  // What is freed with the master was the master's.
  double end_master() {
    queue_ = {};
    fences_ = {};
    actions_ = {};
    auto const before = live_mebibytes();
    master_.reset();
    return before - live_mebibytes();
  }

  // Until the condition holds; false when it took more than ten minutes.
  template <class Condition>
  bool run_until(Condition const& condition) {
    auto const start = Clock::now();
    while (!condition()) {
      if (seconds_since(start) > 600) return false;
      beat();
      if (queue_.empty() && fences_.empty()) skip_to(std::min(master_->wake_at(), next_beats_));
      auto const events = std::exchange(queue_, {});
      for (auto const& event : events) step(event, name_of(event));
      for (std::size_t i = 0; i < kFullStatesAtOnce && !fences_.empty(); ++i) {
        step(answer(fences_.front()), "full state of an agent");
        fences_.pop_front();
      }
      if (master_->wake_at() <= now()) step(m::Tick{}, "tick");
      auto actions = std::exchange(actions_, {});
      for (auto& action : actions) std::visit([&](auto& each) { perform(each); }, action);
    }
    return true;
  }

  bool is_ready() const {
    bool const acts = master_->acts_for({0}) && master_->acts_for({kShards - 1});
    return acts && std::ranges::all_of(master_->nodes(), [](m::Node const& node) { return node.is_recorded && node.is_fenced; });
  }
  bool is_settled(std::size_t instances) const {
    std::size_t ready = 0;
    for (auto const& [name, service] : master_->services()) ready += static_cast<std::size_t>(service.status.ready);
    return ready >= instances;
  }
  std::size_t reported() const {
    std::size_t all = 0;
    for (auto const& [name, service] : master_->services()) all += service.instances.size();
    return all;
  }
  bool has_removed() const { return !master_->find_service(names_.front()); }
  bool has_converged() const { return master_->pending().empty(); }
  std::size_t acknowledged() const { return acknowledged_; }
  std::size_t beats() const { return beats_; }
  Longest take_longest() { return std::exchange(longest_, {}); }

 private:
  struct Fenced {
    std::size_t agent = 0;
    model::FenceShards message;
  };

  Monotonic now() const { return Monotonic{} + 1h + skipped_ + std::chrono::duration_cast<Duration>(Clock::now() - start_); }
  void skip_to(Monotonic at) {
    if (at != kNever && at > now()) skipped_ += at - now();
  }

  static model::NodeFacts facts_of(NodeId id, std::size_t i) {
    model::NodeFacts facts{.id = id, .name = fmt::format("n{}", i), .address = "10.0.0.1", .roles = {model::Role::Worker}};
    facts.engine = {.version = "27.1",
                    .api_version = "1.46",
                    .platform = i % 10 == 0 ? "linux/arm64" : "linux/amd64",
                    .cpus = 64,
                    .memory = {std::int64_t{256} << 30}};
    facts.engine_up = true;
    return facts;
  }
  model::NodeFacts facts(std::size_t i) const { return facts_of(agents_[i].id, i); }

  void beat() {
    auto const at = now();
    if (at < next_beats_) return;
    next_beats_ = kNever;
    for (auto& agent : agents_) {
      if (agent.next_beat <= at) {
        queue_.push_back(m::FromAgent{agent.id, model::Beat{.load = {}, .incarnation = 1, .agent_clock = at, .echo = agent.stamp}});
        agent.next_beat = at + agent.interval;
        ++beats_;
      }
      next_beats_ = std::min(next_beats_, agent.next_beat);
    }
  }

  static std::string_view name_of(m::Event const& event) {
    if (auto const* from = std::get_if<m::FromAgent>(&event)) {
      if (std::holds_alternative<model::Beat>(from->message)) return "beat";
      return "report";
    }
    if (std::holds_alternative<m::Loaded>(event)) return "store read";
    return "other";
  }

  void step(m::Event const& event, std::string_view what) {
    auto const start = Clock::now();
    master_->step({.monotonic = now(), .wall = Wall{std::chrono::hours(1)}}, event, actions_);
    auto const took = seconds_since(start) * 1e3;
    if (took > longest_.milliseconds) longest_ = {took, what};
  }

  void perform(m::Load&) { queue_.push_back(m::Loaded{store_.all()}); }
  void perform(m::GrantLease& a) { queue_.push_back(m::LeaseDone{a.op, m::Granted{1, a.ttl}}); }
  void perform(m::RenewLease& a) { queue_.push_back(m::LeaseDone{a.op, m::Granted{a.lease, 3s}}); }
  void perform(m::ReadRevision& a) { queue_.push_back(m::RevisionRead{a.op, store_.revision()}); }
  void perform(m::Write& a) {
    auto batch = store_.apply(a);
    queue_.push_back(m::WriteDone{a.op, m::Written{true, batch.revision}});
    queue_.push_back(m::StoreChanged{std::move(batch)});
  }
  void perform(m::Send& a) {
    auto& agent = agents_[by_id_.at(a.node)];
    std::visit([&](auto& message) { obey(agent, message); }, a.message);
  }
  template <class Other>
  void perform(Other&) {}

  void obey(Agent& agent, model::FenceShards& message) { fences_.push_back({by_id_.at(agent.id), std::move(message)}); }
  void obey(Agent& agent, model::RunInstance& message) {
    auto const known = std::ranges::find(agent.all, message.id, &Running::id);
    if (known != agent.all.end()) return;
    auto const service = std::ranges::find(names_, message.service) - names_.begin();
    agent.all.push_back({message.id, message.uid, message.slot, message.revision, static_cast<std::uint16_t>(service)});
    ++acknowledged_;
    queue_.push_back(m::FromAgent{
        agent.id, model::Verdict{.id = message.id, .uid = message.uid, .slot = message.slot, .admitted = true, .message = {}}});
    queue_.push_back(m::FromAgent{agent.id, model::InstanceChanged{report(agent.all.back())}});
  }
  void obey(Agent& agent, model::StopInstance& message) {
    std::erase_if(agent.all, [&](Running const& each) { return each.id == message.id; });
    queue_.push_back(m::FromAgent{agent.id, model::InstanceGone{message.id, message.uid, message.slot}});
  }
  void obey(Agent& agent, model::BeatBack& message) {
    agent.stamp = message.stamp;
    agent.interval = message.interval;
  }
  void obey(Agent&, model::Welcome&) {}
  void obey(Agent&, model::DirectoryChanged&) {}

  // Made when the master comes to it, as a network makes agents wait.
  m::Event answer(Fenced& fenced) const {
    auto& [agent, message] = fenced;
    model::FencesStored stored{.round = message.round, .fences = std::move(message.fences), .all = {}, .asker = message.asker};
    stored.all.reserve(agents_[agent].all.size());
    for (auto const& each : agents_[agent].all) stored.all.push_back(report(each));
    return m::FromAgent{agents_[agent].id, std::move(stored)};
  }

  model::InstanceReport report(Running const& running) const {
    model::InstanceReport report{
        .id = running.id, .uid = running.uid, .service = names_[running.service], .slot = running.slot, .revision = running.revision};
    report.state = model::InstanceState::Running;
    report.ready = true;
    report.container = {
        .id = std::string(kDigest.substr(7)), .name = fmt::format("{}.{}", report.service, running.slot), .address = "172.17.0.3"};
    report.ports = {{.target = 80, .address = "10.0.0.1", .published = 20'000}};
    report.digest = kDigest;
    report.started_ago = 1s;
    return report;
  }

  std::string constraint_;
  Store store_;
  std::vector<Agent> agents_;
  std::map<NodeId, std::size_t> by_id_;
  std::vector<std::string> names_;
  std::unique_ptr<m::Master> master_;
  std::deque<m::Event> queue_;
  std::deque<Fenced> fences_;  // to be answered
  m::Actions actions_;
  Clock::time_point start_ = Clock::now();
  Duration skipped_{};
  Monotonic next_beats_{};
  std::size_t acknowledged_ = 0;
  std::size_t beats_ = 0;
  Longest longest_;
};

void print(std::string_view what, double seconds, Longest const& longest, std::string_view more) {
  fmt::print("    {:<22} {:>8.2f} s; longest step {:.1f} ms ({}){}\n", what, seconds, longest.milliseconds, longest.what, more);
}

struct Size {
  std::size_t nodes = 0;
  std::size_t instances = 0;
  std::size_t services = kServices;
};

bool run(Size size, std::string const& constraint) {
  auto const instances = size.instances - size.instances % size.services;
  fmt::print("  {} nodes, {} instances in {} services{}\n", size.nodes, instances, size.services,
             constraint.empty() ? "" : ", " + constraint);
  auto const at_first = live_mebibytes();
  Cluster cluster(size.nodes, constraint);
  auto start = Clock::now();
  if (!cluster.run_until([&] { return cluster.is_ready(); })) return false;
  print("nodes recorded, fenced", seconds_since(start), cluster.take_longest(), "");
  cluster.create_services(instances, size.services);
  start = Clock::now();
  std::size_t half_at = 0;
  double half = 0;
  bool const is_placed = cluster.run_until([&] {
    if (half_at == 0 && cluster.acknowledged() >= instances / 2) half_at = cluster.acknowledged(), half = seconds_since(start);
    return cluster.acknowledged() >= instances;
  });
  auto const took = seconds_since(start);
  if (!is_placed) return fmt::print("    only {} placed in ten minutes\n", cluster.acknowledged()), false;
  print("placed", took, cluster.take_longest(),
        fmt::format("; {:.0f}/s, first half {:.0f}/s, second {:.0f}/s; {} beats", static_cast<double>(instances) / took,
                    static_cast<double>(half_at) / half, static_cast<double>(instances - half_at) / (took - half), cluster.beats()));
  start = Clock::now();
  if (!cluster.run_until([&] { return cluster.is_settled(instances); })) return false;
  print("and ready", seconds_since(start), cluster.take_longest(), "");
  auto const resident = resident_mebibytes();
  auto const all = live_mebibytes() - at_first;
  auto const master = cluster.end_master();
  fmt::print("    memory                 master {:.0f} MiB, {:.0f} bytes an instance; bench {:.0f} MiB; resident {:.0f} MiB\n", master,
             master * (1 << 20) / static_cast<double>(instances), all - master, resident);

  start = Clock::now();
  cluster.begin_master("second");
  if (!cluster.run_until([&] { return cluster.is_ready() && cluster.reported() >= instances; })) return false;
  print("taken over: all read", seconds_since(start), cluster.take_longest(), "");
  start = Clock::now();
  if (!cluster.run_until([&] { return cluster.has_converged(); })) return false;
  print("and at rest", seconds_since(start), cluster.take_longest(), "");
  start = Clock::now();
  cluster.remove_service();
  if (!cluster.run_until([&] { return cluster.has_removed(); })) return false;
  print("a service removed", seconds_since(start), cluster.take_longest(), fmt::format("; {} instances", instances / size.services));
  return true;
}

Size size_of(char const* nodes, char const* instances) {
  Size size{.nodes = std::strtoull(nodes, nullptr, 10)};
  char* rest = nullptr;
  size.instances = std::strtoull(instances, &rest, 10);
  if (*rest == '/') size.services = std::strtoull(rest + 1, nullptr, 10);
  return size;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) {
  std::vector<davit::bench::Size> sizes;
  for (int i = 1; i + 1 < argc; i += 2) sizes.push_back(davit::bench::size_of(argv[i], argv[i + 1]));
  if (sizes.empty()) sizes = {{.nodes = 100, .instances = 10'000}, {.nodes = 1'000, .instances = 100'000}};
  fmt::print("scale, simulated: one master and its agents on one thread\n");
  for (auto const& size : sizes) {
    for (auto const* constraint : {"", "node.platform.arch==arm64"}) {
      if (!davit::bench::run(size, constraint)) {
        fmt::print("did not come to an end\n");
        return EXIT_FAILURE;
      }
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("  most memory resident: {:.0f} MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
}
