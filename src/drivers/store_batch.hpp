// The store's keys under davit/v1/, decoded as the master's machine takes them: all of them at one revision, or what a watch shows.
// Control thread.
#pragma once

#include <functional>

#include "core/master/store_view.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::drivers {

// Page by page, each decoded in a turn of its own on the control thread.
void read_store(ports::Loop& loop, ports::Store& store, std::function<void(Result<master::StoreBatch>)> done);

Result<master::StoreBatch> decode_batch(ports::WatchBatch const& batch);

}  // namespace davit::drivers
