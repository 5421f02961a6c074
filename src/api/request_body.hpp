// From a request's body to a spec, as strictly as api.md says. The refusal is a whole answer. Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "codec/value.hpp"
#include "http/message.hpp"
#include "model/problem.hpp"
#include "model/spec.hpp"

namespace davit::api {

template <class T>
using OrRefusal = std::expected<T, http::Response>;

enum class Media : std::uint8_t { Json, JsonOrMergePatch };

// The body as an object; {} for an empty one where that is allowed.
enum class Empty : std::uint8_t { Refused, Allowed };
OrRefusal<codec::Value> read_object(http::Request const& request, Media media, Empty empty = Empty::Refused);

// Takes "name" out of the body. It may be absent when the path has one, and must not differ from that.
OrRefusal<std::string> take_name(codec::Value& body, std::string_view in_path);

OrRefusal<model::SpecRef> read_spec_of(std::string_view service, codec::Value const& body);
// The merge patch over the canonical form of what there is. Names that no field has are refused even where the patch removes them.
OrRefusal<model::SpecRef> read_patched_spec(std::string_view service, model::ServiceSpec const& now, codec::Value const& patch);

// Refuses names in the path of a write that no service can have.
OrRefusal<void> check_name(std::string_view name);

}  // namespace davit::api
