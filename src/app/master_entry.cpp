#include "app/master_entry.hpp"

#include <utility>

#include <fmt/core.h>

#include "app/log_notes.hpp"
#include "app/version.hpp"

namespace davit::app {
namespace {

constexpr Duration kLookForCluster = 200ms;
constexpr Duration kLookWhetherGone = 10ms;
constexpr Duration kLeaveLimit = 1s;
constexpr char const* kHolder = "master";

}  // namespace

MasterEntry::MasterEntry(ports::Loop& loop, ports::Registry& consul, Who who, std::function<ClusterId()> cluster)
    : loop_(loop),
      consul_(consul),
      who_(std::move(who)),
      cluster_(std::move(cluster)),
      timer_(loop.make_timer()) {
  await_cluster();
}

void MasterEntry::await_cluster() {
  auto const cluster = cluster_();
  if (!cluster) return timer_->set(loop_.now().monotonic + kLookForCluster, [this] { await_cluster(); });
  driver_.emplace(loop_, consul_, registry::Registrar({cluster, who_.self, "master"}),
                  [](registry::Noted const& note) { log_note("consul", note); });
  driver_->post(registry::Wanted{kHolder, {entry(cluster)}});
  driver_->post(registry::AllKnown{});
}

model::RegistryEntry MasterEntry::entry(ClusterId cluster) const {
  model::RegistryEntry entry{.id = fmt::format("davit-{}-master-{}", davit::to_string(cluster), davit::to_string(who_.self)),
                             .service = std::string(kMasterService),
                             .address = who_.link.host,
                             .port = who_.link.port,
                             .tags = {"davit"},
                             .meta = {{"node", who_.name}, {"version", std::string(kVersion)}}};
  if (!who_.api.empty()) entry.meta["api"] = who_.api;
  return entry;
}

void MasterEntry::leave(std::function<void()> on_left) {
  timer_->cancel();
  if (!driver_) return on_left();
  driver_->post(registry::Wanted{kHolder, {}});
  // Not before the driver has taken the want in: until then nothing is on its way out.
  auto const until = loop_.now().monotonic + kLeaveLimit;
  timer_->set(loop_.now().monotonic + kLookWhetherGone, [this, until, on_left = std::move(on_left)] { await_gone(until, on_left); });
}

void MasterEntry::await_gone(Monotonic until, std::function<void()> const& on_left) {
  if (driver_->machine().is_gone(kHolder) || loop_.now().monotonic >= until) return on_left();
  timer_->set(loop_.now().monotonic + kLookWhetherGone, [this, until, on_left] { await_gone(until, on_left); });
}

void MasterEntry::stop() {
  timer_->cancel();
  if (driver_) driver_->stop();
}

}  // namespace davit::app
