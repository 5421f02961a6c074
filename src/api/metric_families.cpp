#include "api/metric_families.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string_view>

#include "model/instance.hpp"

namespace davit::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// Every state that a service's instances can be in has a sample, also at 0: a series that comes and goes breaks queries.
void add_instance_states(MetricFamily& family, std::string const& name, master::Service const& service) {
  constexpr auto& kStates = model::EnumNames<model::InstanceState>::kAll;
  std::array<std::int64_t, kStates.size()> counts{};
  for (auto const& instance : service.instances) ++counts[static_cast<std::size_t>(instance.state)];
  for (auto const& [state, word] : kStates) {
    add_sample(family, {{"service", name}, {"state", std::string(word)}}, static_cast<double>(counts[static_cast<std::size_t>(state)]));
  }
}

double resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view kKey = "VmRSS:";
    if (line.starts_with(kKey)) return std::strtod(line.c_str() + kKey.size(), nullptr) * 1024;  // it is given in kB
  }
  return 0;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

MetricFamily gauge_family(std::string name, std::string help) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = MetricType::Gauge;
  return family;
}

void add_sample(MetricFamily& family, MetricLabels const& labels, double value) {
  auto& metric = family.metric.emplace_back();
  for (auto const& [name, text] : labels) metric.label.push_back({name, text});
  if (family.type == MetricType::Counter) metric.counter.value = value;
  else metric.gauge.value = value;
}

MetricFamily counter_family(std::string name, std::string help, std::string const& label,
                            std::map<std::string, std::uint64_t> const& counts) {
  auto family = gauge_family(std::move(name), std::move(help));
  family.type = MetricType::Counter;
  for (auto const& [key, count] : counts) add_sample(family, {{label, key}}, static_cast<double>(count));
  return family;
}

void add_service_families(MetricFamilies& families, master::Master const& view, std::map<std::string, std::uint64_t> const& restarts) {
  auto desired = gauge_family("davit_service_desired", "Instances that should run.");
  auto ready = gauge_family("davit_service_ready", "Instances that run and are ready.");
  auto instances = gauge_family("davit_service_instances", "Instances by state.");
  auto cpu = gauge_family("davit_service_cpu_used_cores", "Cores that its instances use together, as measured each ten seconds.");
  auto memory = gauge_family("davit_service_memory_used_bytes", "Memory that its instances use together, as measured each ten seconds.");
  std::map<std::string, std::uint64_t> restarts_shown;
  for (auto const& [name, service] : view.services()) {
    if (!service.exists()) continue;
    add_sample(desired, {{"service", name}}, static_cast<double>(service.status.desired));
    add_sample(ready, {{"service", name}}, static_cast<double>(service.status.ready));
    add_instance_states(instances, name, service);
    add_sample(cpu, {{"service", name}}, static_cast<double>(service.usage.millicores) / 1000);
    add_sample(memory, {{"service", name}}, static_cast<double>(service.usage.memory_kib) * 1024);
    auto const counted = restarts.find(name);
    restarts_shown[name] = counted == restarts.end() ? 0 : counted->second;
  }
  families.push_back(std::move(desired));
  families.push_back(std::move(ready));
  families.push_back(std::move(instances));
  families.push_back(std::move(cpu));
  families.push_back(std::move(memory));
  families.push_back(
      counter_family("davit_instance_restarts_total", "Restarts in place since this process started.", "service", restarts_shown));
}

void add_node_families(MetricFamilies& families, master::Master const& view) {
  struct Column {
    std::string name;
    std::string help;
    double (*read)(master::Node const&);
  };
  static std::array<Column, 10> const kColumns{{
      {"up", "1 while the node's agent is connected.", [](master::Node const& node) { return node.is_connected ? 1.0 : 0.0; }},
      {"engine_up", "1 while the node's container engine answers.",
       [](master::Node const& node) { return node.facts.engine_up ? 1.0 : 0.0; }},
      {"instances", "Instances on the node, whatever their state.",
       [](master::Node const& node) { return static_cast<double>(node.instances); }},
      {"cpu_cores", "Cores that the engine has.", [](master::Node const& node) { return node.facts.engine.cpus; }},
      {"cpu_used_cores", "Cores in use, by all processes.", [](master::Node const& node) { return node.load.cpus_used; }},
      {"cpu_reserved_cores", "Cores reserved by instances.", [](master::Node const& node) { return node.reserved.cpus; }},
      {"load_1m", "Tasks that run or wait to run, the kernel's mean of a minute.",
       [](master::Node const& node) { return node.load.load_1m; }},
      {"memory_bytes", "Memory that the engine has.",
       [](master::Node const& node) { return static_cast<double>(node.facts.engine.memory.count); }},
      {"memory_used_bytes", "Memory in use, by all processes.",
       [](master::Node const& node) { return static_cast<double>(node.load.memory_used.count); }},
      {"memory_reserved_bytes", "Memory reserved by instances.",
       [](master::Node const& node) { return static_cast<double>(node.reserved.memory.count); }},
  }};
  for (auto const& column : kColumns) {
    auto family = gauge_family("davit_node_" + column.name, column.help);
    for (auto const& node : view.nodes()) add_sample(family, {{"node", node.record.name}}, column.read(node));
    families.push_back(std::move(family));
  }
}

// Of nodes whose kernel tells.
void add_pressure_family(MetricFamilies& families, master::Master const& view) {
  auto family = gauge_family("davit_node_pressure", "Share of the last ten seconds in which tasks waited for this resource (PSI).");
  for (auto const& node : view.nodes()) {
    if (!node.load.pressure) continue;
    auto const& pressure = *node.load.pressure;
    for (auto const& [resource, share] : {std::pair("cpu", pressure.cpu), {"memory", pressure.memory}, {"io", pressure.io}}) {
      add_sample(family, {{"node", node.record.name}, {"resource", resource}}, share);
    }
  }
  families.push_back(std::move(family));
}

void add_process_families(MetricFamilies& families, std::string const& version) {
  auto memory = gauge_family("process_resident_memory_bytes", "Memory of this process.");
  add_sample(memory, {}, resident_bytes());
  auto cpu = gauge_family("process_cpu_seconds_total", "Processor time of this process.");
  cpu.type = prometheus::MetricType::Counter;
  add_sample(cpu, {}, cpu_seconds());
  auto build = gauge_family("davit_build_info", "Always 1; the version is in the label.");
  add_sample(build, {{"version", version}}, 1);
  families.push_back(std::move(memory));
  families.push_back(std::move(cpu));
  families.push_back(std::move(build));
}

}  // namespace davit::api
