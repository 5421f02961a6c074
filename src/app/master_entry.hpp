// A master's own entry in Consul, by which workers find it: registered once the cluster is known, fed while the process lives, taken out
// when it ends. Owned by the app; control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app/settings.hpp"
#include "core/registry/registrar.hpp"
#include "drivers/registry_driver.hpp"
#include "ports/registry.hpp"

namespace davit::app {

inline constexpr std::string_view kMasterService = "davit-master";

class MasterEntry {
 public:
  struct Who {
    NodeId self;
    std::string name;
    HostPort link;  // where workers reach it
    std::string api;  // where clients do; "": nowhere but on its own machine
  };
  // `cluster`: zero until it is known.
  MasterEntry(ports::Loop& loop, ports::Registry& consul, Who who, std::function<ClusterId()> cluster);
  MasterEntry(MasterEntry const&) = delete;
  MasterEntry& operator=(MasterEntry const&) = delete;

  void leave(std::function<void()> on_left);  // within a second, whatever Consul says
  void stop();

 private:
  void await_cluster();
  void await_gone(Monotonic until, std::function<void()> const& on_left);
  model::RegistryEntry entry(ClusterId cluster) const;

  ports::Loop& loop_;
  ports::Registry& consul_;
  Who who_;
  std::function<ClusterId()> cluster_;
  std::optional<drivers::RegistryDriver<registry::Registrar>> driver_;
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace davit::app
