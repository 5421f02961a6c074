#include "api/metrics.hpp"

#include <chrono>
#include <map>
#include <vector>

#include <fmt/core.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/metric_families.hpp"

namespace davit::api {
namespace {

// A label takes no word that a client makes up: each would be a series for ever.
std::string known_method(std::string_view method) {
  for (auto const* const known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return known;
  }
  return "other";
}

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter().Name("davit_api_requests_total").Help("Requests answered, by method and status.").Register(registry);
  prometheus::Histogram& seconds =
      prometheus::BuildHistogram()
          .Name("davit_api_request_seconds")
          .Help("Time from a request's arrival to its answer; of streams, to their end.")
          .Register(registry)
          .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30});
  std::string version;
  std::map<std::string, std::uint64_t> restarts;  // by service
  std::map<std::string, std::uint64_t> events;    // by type
};

Metrics::Metrics(std::string version) : impl_(std::make_unique<Impl>()) { impl_->version = std::move(version); }
Metrics::~Metrics() = default;

void Metrics::on_changed(master::Transition const& transition) {
  ++impl_->events[transition.type];
  bool const is_restart = transition.type == "instance.preparing" && (transition.previous == "exited" || transition.previous == "failed");
  if (is_restart) ++impl_->restarts[transition.service];
  if (transition.type == "service.removed") impl_->restarts.erase(transition.service);
}

void Metrics::observe_request(std::string_view method, int status, Duration took) {
  impl_->requests.Add({{"code", std::to_string(status)}, {"method", known_method(method)}}).Increment();
  impl_->seconds.Observe(std::chrono::duration<double>(took).count());
}

std::string Metrics::expose(master::Master const& view) const {
  auto families = impl_->registry.Collect();
  add_service_families(families, view, impl_->restarts);
  add_node_families(families, view);
  add_pressure_family(families, view);
  add_process_families(families, impl_->version);
  families.push_back(counter_family("davit_events_total", "Changes that could be followed at /events, by type.", "type", impl_->events));
  families.push_back(gauge_family("davit_store_revision", "The newest revision of the store that this master has seen."));
  add_sample(families.back(), {}, static_cast<double>(view.store_revision()));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace davit::api
