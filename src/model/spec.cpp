#include "model/spec.hpp"

#include <algorithm>

#include "model/spec_fields.hpp"

namespace davit::model {
namespace {

// Nested structs are compared field by field, so that a table's own Change counts; everything else is one leaf.
template <class S>
Change greatest_change(S const& before, S const& after) {
  Change greatest = Change::None;
  for_each_field<S>([&](auto const& each) {
    auto const& a = before.*each.member;
    auto const& b = after.*each.member;
    if (a == b) return;
    using Member = std::remove_cvref_t<decltype(a)>;
    if constexpr (HasFields<Member>) {
      greatest = std::max(greatest, greatest_change(a, b));
    } else {
      greatest = std::max(greatest, each.meta.change);
    }
  });
  return greatest;
}

}  // namespace

Change change_between(ServiceSpec const& before, ServiceSpec const& after) { return greatest_change(before, after); }

std::string_view what_forbids_overlap(ServiceSpec const& spec) {
  bool const has_fixed_port = std::ranges::any_of(spec.ports, is_fixed_on_node);
  bool const has_writable_volume =
      std::ranges::any_of(spec.volumes, [](Mount const& mount) { return mount.type != MountType::Tmpfs && !mount.read_only; });
  if (has_fixed_port) return "a fixed host port";
  if (has_writable_volume) return "a writable volume";
  if (spec.network_mode == "host") return "the host's network";
  if (spec.on_isolation == OnIsolation::Stop) return "on_isolation: stop";
  return {};
}

bool has_node_volume(ServiceSpec const& spec) {
  return std::ranges::any_of(spec.volumes, [](Mount const& mount) {
    bool const is_nodes_own = mount.type == MountType::Bind || (mount.type == MountType::Volume && !mount.source.empty());
    return is_nodes_own && !mount.read_only;
  });
}

}  // namespace davit::model
