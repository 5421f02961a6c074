// Services and their instances as JSON (api.md). Reads the master's state of this moment; control thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/spec.hpp"
#include "codec/value.hpp"
#include "core/master/master.hpp"
#include "model/problem.hpp"

namespace davit::api {

inline constexpr std::size_t kInlineInstances = 1'000;

// An entry of GET /services.
codec::Value render_entry(master::Service const& service);
// GET /services/{name}: spec, status and at most kInlineInstances instances.
codec::Value render_service(master::Master const& master, master::Service const& service, codec::Defaults defaults);
codec::Value render_instance(master::Master const& master, master::Service const& service, service::Instance const& instance);
codec::Value render_warnings(std::vector<model::Problem> const& warnings);
// What a write would lead to. `before` is null when it would create the service.
codec::Value render_dry_run(model::Head const* before, model::Head const& after, codec::Defaults defaults);
// What a DELETE answers when nothing was left to wait for.
codec::Value render_removed(std::string_view name);

}  // namespace davit::api
