// The rules of a spec that types and ranges cannot say: grammars, fields that exclude each other, what is not built yet.
// Pure. The form of a request is checked before, by codec/spec.hpp.
#pragma once

#include <string_view>
#include <vector>

#include "model/problem.hpp"
#include "model/spec.hpp"

namespace davit::model {

inline constexpr std::size_t kMaxPortEntries = 1'000;
inline constexpr std::size_t kMaxConstraints = 64;
inline constexpr Bytes kMinMemoryLimit{6 * 1024 * 1024};  // the engine refuses less
inline constexpr Bytes kMaxMemory{std::int64_t{1} << 50};  // so that sums of them stay numbers
inline constexpr double kMinCpuLimit = 0.01;

// Whether this version does what the word asks for. The others are known, so that they can be refused by name.
constexpr bool is_built(Mode mode) { return mode == Mode::Replicated; }
constexpr bool is_built(NamedEnum auto) { return true; }

// "davit-…" and "node" are Davit's own (discovery, containers).
bool is_reserved_name(std::string_view name);

// All that is wrong; `service` may be empty: then it is not looked at. Pointers are into the spec but for "#/name".
std::vector<Problem> validate(std::string_view service, ServiceSpec const& spec);

// What is allowed and may surprise. The codes are the warnings' own: fixed_port, unpinned_image, updates_stop_first,
// node_volume, own_environment.
std::vector<Problem> warnings(ServiceSpec const& spec);

}  // namespace davit::model
