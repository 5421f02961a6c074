#include "codec/spec.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/core.h>

#include "codec/json.hpp"
#include "model/spec_fields.hpp"
#include "model/validate.hpp"

namespace davit::codec {
namespace {

// C strings end at a NUL: the engine would see another text than the user wrote.
void refuse_nul(FieldReader& reader, Value const& value) {
  if (value.text().find('\0') != std::string_view::npos) reader.report(model::problem_code::kInvalidValue, "has a NUL character");
  std::size_t index = 0;
  for (auto const& item : value.items()) {
    auto const scope = reader.at(index++);
    refuse_nul(reader, item);
  }
  for (auto const& member : value.members()) {
    auto const scope = reader.at(member.key);
    if (member.key.find('\0') != std::string::npos) reader.report(model::problem_code::kInvalidValue, "has a NUL character in its name");
    refuse_nul(reader, member.value);
  }
}

bool is_within(std::string_view pointer, std::string_view parent) {
  return pointer.starts_with(parent) && (pointer.size() == parent.size() || pointer[parent.size()] == '/');
}

Value merge(Value target, Value const& patch, std::size_t depth) {
  auto const* const changes = patch.as_object();
  if (!changes || depth == 0) return patch;
  std::vector<Member> members;
  if (auto* const object = target.as_object()) members = std::move(*object).take_members();
  std::unordered_map<std::string, std::size_t> index;  // a find() for each would be n * m
  for (std::size_t i = 0; i < members.size(); ++i) index.emplace(members[i].key, i);
  std::vector<bool> is_removed(members.size() + changes->size());
  for (auto const& change : *changes) {
    auto const [known, is_new] = index.emplace(change.key, members.size());
    if (is_new) members.emplace_back(change.key, Value());
    is_removed[known->second] = change.value.is_null();
    auto& value = members[known->second].value;
    value = merge(std::move(value), change.value, depth - 1);
  }
  std::vector<Member> kept;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_removed[i]) kept.push_back(std::move(members[i]));
  }
  return Value(*Object::from_members(std::move(kept)));
}

}  // namespace

SpecRead read_spec(Value const& value) {
  SpecRead read;
  FieldReader reader;
  read_fields(reader, value, read.spec);
  refuse_nul(reader, value);
  read.problems = reader.take_problems();
  return read;
}

SpecRead read_valid_spec(std::string_view name, Value const& value) {
  auto read = read_spec(value);
  // A field that could not be read holds its default or less: what the rules say of that would only confuse.
  auto const unreadable = read.problems;
  for (auto& problem : model::validate(name, read.spec)) {
    bool const is_told = std::ranges::any_of(unreadable, [&](model::Problem const& told) {
      return is_within(told.pointer, problem.pointer) || is_within(problem.pointer, told.pointer);
    });
    if (!is_told) add_problem(read.problems, std::move(problem));
  }
  if (auto const size = dump(write_spec(read.spec)).size(); size > kMaxSpecBytes) {
    read.problems.push_back(
        {"#", std::string(model::problem_code::kTooLarge),
         fmt::format("the spec has {} bytes, more than {}; put large texts into the image or a volume", size, kMaxSpecBytes)});
  }
  return read;
}

Value write_spec(model::ServiceSpec const& spec, Defaults defaults) { return write_fields(spec, defaults); }

Value merge_patch(Value target, Value const& patch) { return merge(std::move(target), patch, kMaxDepth); }

}  // namespace davit::codec
