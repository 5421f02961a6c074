// The store's keys under davit/v1/, read page by page and put together as the master's machine takes them. Control thread.
#pragma once

#include <functional>
#include <memory>

#include "core/master/master.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::drivers {

// Pages are decoded one by one, each in a turn of its own on the control thread.
void read_store_image(ports::Loop& loop, ports::Store& store, std::function<void(Result<master::StoreImage>)> done);

// One record into the image; in the order of their keys.
Status add_record(master::StoreImage& image, ports::KeyValue const& item);
// Once all are in: every head has its specs.
Status complete(master::StoreImage& image);

}  // namespace davit::drivers
