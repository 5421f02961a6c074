// Where the Consul agent of this machine is and how it is spoken to: the same options of every process that runs a node.
#pragma once

#include <optional>
#include <vector>

#include "adapters/registry_consul/consul_registry.hpp"
#include "app/setting_reader.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"

namespace davit::app {

std::vector<cli::Option> consul_options();
// None: no Consul is used.
Result<std::optional<registry_consul::ConsulAddress>> read_consul(SettingReader const& reader, Environment const& environment);

}  // namespace davit::app
