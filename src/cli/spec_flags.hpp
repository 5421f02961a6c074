// The flags of `service create` and `service update`, and the spec that they make: a JSON body that the server checks.
// What a flag means is one row of a table; its help is the doc of the spec's field table. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "codec/value.hpp"

namespace davit::cli {

// With `for_update` also --env-add, --env-rm and their like.
std::vector<Option> spec_options(bool for_update);

// Writes what the flags say into the spec: words replace, pairs and list entries are added (an entry for the same port or
// mount point replaces the one there was), --…-rm removes.
Status apply_flags(Invocation const& invocation, codec::Value& spec);

// The flag that sets what the pointer points to: "#/ports/0" is "--publish", "#/image" is "IMAGE"; else the pointer itself.
std::string flag_of_pointer(std::string_view pointer);

// The doc of a field by its path, "healthcheck/interval"; "" where the field tables have no such field.
std::string_view doc_of_field(std::string_view path);

}  // namespace davit::cli
