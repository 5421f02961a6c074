// What the server's lists look like as tables (api.md, "CLI"). Pure.
#pragma once

#include <span>

#include "base/time.hpp"
#include "cli/table.hpp"
#include "codec/value.hpp"

namespace davit::cli {

Table services_table(std::span<codec::Value const> services);
Table instances_table(std::span<codec::Value const> instances, Wall now, bool with_full_ids);
Table use_table(std::span<codec::Value const> instances);
Table nodes_table(std::span<codec::Value const> nodes);
Table history_table(std::span<codec::Value const> events);

// "80/tcp", "8080→80/tcp": a port of a spec.
std::string port_text(codec::Value const& port);
// "exit 3; davit service logs web.2": why an instance is not well, and where to look.
std::string trouble_text(codec::Value const& instance);
// What /explain says, slot by slot.
std::string explanation_text(std::string_view service, codec::Value const& explanation, Wall now);
// An event of /events as a line.
std::string event_line(codec::Value const& event);

}  // namespace davit::cli
