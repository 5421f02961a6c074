// The metrics that are not counted but read: from the master's view and from the kernel, at each scrape. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "core/master/master.hpp"

namespace davit::api {

using MetricFamilies = std::vector<prometheus::MetricFamily>;
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

prometheus::MetricFamily gauge_family(std::string name, std::string help);
void add_sample(prometheus::MetricFamily& family, MetricLabels const& labels, double value);
prometheus::MetricFamily counter_family(std::string name, std::string help, std::string const& label,
                                        std::map<std::string, std::uint64_t> const& counts);

void add_service_families(MetricFamilies& families, master::Master const& view, std::map<std::string, std::uint64_t> const& restarts);
void add_node_families(MetricFamilies& families, master::Master const& view);
void add_pressure_family(MetricFamilies& families, master::Master const& view);
void add_process_families(MetricFamilies& families, std::string const& version);

}  // namespace davit::api
