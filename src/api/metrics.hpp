// What Prometheus reads at /metrics: counters kept here, gauges made from the master's view at each scrape, so that the
// series of a removed service go with it. Made by api::Api, lives as long as it; control thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/master/master.hpp"

namespace davit::api {

class Metrics {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  explicit Metrics(std::string version);
  ~Metrics();
  Metrics(Metrics const&) = delete;
  Metrics& operator=(Metrics const&) = delete;

  void on_changed(master::Transition const& transition);
  void observe_request(std::string_view method, int status, Duration took);
  // The whole answer, in the text format.
  std::string expose(master::Master const& view) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::api
