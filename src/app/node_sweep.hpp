// Tells the Sweeper which nodes this master has to sweep. Owned by the app; control thread.
#pragma once

#include <memory>

#include "core/master/master.hpp"
#include "core/registry/sweeper.hpp"
#include "drivers/registry_driver.hpp"
#include "ports/registry.hpp"

namespace davit::app {

class NodeSweep {
 public:
  NodeSweep(ports::Loop& loop, ports::Registry& consul, master::Master const& master);
  NodeSweep(NodeSweep const&) = delete;
  NodeSweep& operator=(NodeSweep const&) = delete;

  void stop();

 private:
  void look();

  ports::Loop& loop_;
  master::Master const& master_;
  drivers::RegistryDriver<registry::Sweeper> driver_;
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace davit::app
