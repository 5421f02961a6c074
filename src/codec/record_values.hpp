// read_value() and write_value() for the types that records have and specs have not (fields.hpp).
#pragma once

#include <concepts>

#include "codec/fields.hpp"
#include "model/journal.hpp"

namespace davit::codec {

void read_value(FieldReader&, Value const&, Meta const&, Wall&);
void read_value(FieldReader&, Value const&, Meta const&, ServiceUid&);
void read_value(FieldReader&, Value const&, Meta const&, Epoch&);
void read_value(FieldReader&, Value const&, Meta const&, ShardId&);
void read_value(FieldReader&, Value const&, Meta const&, model::SpecRef&);
void read_value(FieldReader&, Value const&, Meta const&, model::EventBody&);
// Only the numbers: each revision's content has a record of its own.
void read_value(FieldReader&, Value const&, Meta const&, std::map<std::uint32_t, model::RevisionRecord>&);
void read_id60(FieldReader&, Value const&, std::uint64_t&);
// What does not fit into 63 bits (hashes do not) is written as decimal text.
void read_unsigned(FieldReader&, Value const&, std::uint64_t max, std::uint64_t&);

Value write_unsigned(std::uint64_t);
Value write_value(Wall, Defaults);
Value write_value(ServiceUid, Defaults);
Value write_value(Epoch, Defaults);
Value write_value(ShardId, Defaults);
Value write_value(model::SpecRef const&, Defaults);
Value write_value(model::EventBody const&, Defaults);
Value write_value(std::map<std::uint32_t, model::RevisionRecord> const&, Defaults);

template <class U>
  requires(std::unsigned_integral<U> && !std::same_as<U, bool>)
void read_value(FieldReader& reader, Value const& value, Meta const&, U& into) {
  std::uint64_t number = 0;
  read_unsigned(reader, value, std::numeric_limits<U>::max(), number);
  into = static_cast<U>(number);
}
template <class U>
  requires(std::unsigned_integral<U> && !std::same_as<U, bool>)
Value write_value(U value, Defaults) {
  return write_unsigned(value);
}

template <class Tag>
void read_value(FieldReader& reader, Value const& value, Meta const&, Id60<Tag>& into) {
  read_id60(reader, value, into.value);
}
template <class Tag>
Value write_value(Id60<Tag> id, Defaults) {
  return Value(to_string(id));
}

}  // namespace davit::codec
