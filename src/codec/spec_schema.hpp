// The spec as JSON Schema (2020-12, as OpenAPI 3.1 uses it), from the field tables. Any thread.
//
// It describes what is accepted now: short forms, ranges, grammars, the words that this version acts on. What a schema cannot
// say (two fields that exclude each other, a port published twice, the size of the whole) is answered with 422.
#pragma once

#include <string_view>

#include "codec/value.hpp"

namespace davit::codec {

enum class SchemaFor : std::uint8_t {
  Spec,   // a whole spec, in requests and answers
  Patch,  // a merge patch of one: nothing is required, and a null in a map removes its key
};
Value spec_schema(SchemaFor use);

// What the grammar of one field adds to the schema of its type, by path: "image", "ports[]/name", "resources/limits/cpus".
// Null for most.
Value schema_refinement(std::string_view path);

}  // namespace davit::codec
