#include "app/master_part.hpp"

#include <fmt/core.h>

#include "app/host.hpp"
#include "app/log_notes.hpp"
#include "app/version.hpp"

namespace davit::app {
namespace {

constexpr Duration kStopLimit = 5s;

void log_transition(master::Transition const& change) {
  auto subject = change.service.empty() ? change.node : change.service;
  if (change.slot != 0) subject = fmt::format("{}.{}", change.service, change.slot);
  auto line = fmt::format("{} {}", change.type, subject);
  if (change.slot != 0 && !change.node.empty()) line += fmt::format(" on {}", change.node);
  if (change.reason != model::Reason::None) line += fmt::format(" [{}]", model::to_string(change.reason));
  if (!change.message.empty()) line += fmt::format(": {}", change.message);
  runtime::logger("master").info("{}", line);
}

master::Options options_of(Settings const& settings, NodeId self, std::string link_address) {
  return {.new_cluster = {random_id60()},
          .session = fmt::format("{}.{}", to_string(self), format_id60(random_id60())),
          .self = self,
          .name = settings.node,
          .address = std::move(link_address),
          .downing = settings.downing};
}

}  // namespace

MasterPart::MasterPart(Ports ports, Settings const& settings, NodeId self, std::string link_address)
    : loop_(ports.loop),
      settings_(settings),
      driver_({ports.loop, ports.store, ports.agents, ports.peers}, options_of(settings, self, std::move(link_address)),
              {[this](master::Transition const& change) {
                 log_transition(change);
                 api_.on_changed(change);
               },
               [](master::Noted const& note) { log_note("master", note); }}),
      api_(ports.loop, driver_, ports.logs,
           {.version = std::string(kVersion),
            .node = settings.node,
            .is_worker = settings.is_worker,
            .token = settings.api_token,
            .listen_host = settings.listen_host}),
      server_(ports.loop, api_.server_options()) {}

Status MasterPart::listen() {
  auto const port = server_.listen_tcp(settings_.listen_host, settings_.listen_port);
  auto listening = port ? server_.listen_unix(settings_.socket.string(), 0600) : Status(std::unexpected(port.error()));
  if (port) port_ = *port;
  if (listening) return {};
  bool is_stopped = false;  // what listens already ends before it goes
  server_.stop([&is_stopped] { is_stopped = true; });
  loop_.run_until([&is_stopped] { return is_stopped; }, kStopLimit);
  return listening;
}

}  // namespace davit::app
