// From one store into another: what of a cluster outlives its processes. Both stores are open, and nobody else writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "ports/store.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

// The value under the same key in another store, or nothing: leases, grants and testimonies are of processes that run there no more.
// Revisions begin anew in the other store, so what was named by one is told apart by a new era, and a service's uid is written out.
Result<std::optional<std::string>> carried_over(ports::KeyValue const& item);

struct CopyReport {
  ClusterId cluster;
  std::uint32_t era = 0;
  std::size_t keys = 0;
  std::size_t services = 0;
  bool was_there = false;  // an earlier copy had come to its end
};

// Goes into a store without a cluster only; what an interrupted copy has left there is erased first. The cluster's own key comes last:
// without it no master begins one on what is incomplete. Code::Exists: it holds another cluster. `on_progress` is told how many keys are
// there.
Result<CopyReport> copy_store(runtime::AsioLoop& loop, ports::Store& from, ports::Store& to,
                              std::function<void(std::size_t keys, std::size_t all)> const& on_progress);

}  // namespace davit::app
