// What every route of the API has at hand. Made by api::Api, lives as long as it; control thread.
#pragma once

#include <string>

#include "base/time.hpp"
#include "core/master/master.hpp"
#include "drivers/master_driver.hpp"
#include "ports/instance_logs.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::api {

class EndpointCache;
class EventLog;
class ListCache;
class Metrics;

struct Context {
  runtime::AsioLoop& loop;
  drivers::MasterDriver& driver;
  ports::InstanceLogs& logs;
  EventLog& events;
  Metrics& metrics;
  ListCache& lists;
  EndpointCache& endpoints;
  std::string version;  // of this program
  std::string node;     // on which it runs
  bool is_worker;       // whether this process is that node's agent as well

  master::Master const& master() const { return driver.master(); }
};

}  // namespace davit::api
