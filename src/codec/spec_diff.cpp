#include "codec/json.hpp"
#include "codec/spec.hpp"
#include "model/spec_fields.hpp"

namespace davit::codec {
namespace {

using model::Change;

class Differences {
 public:
  template <model::HasFields S>
  void compare(std::string const& pointer, S const& a, S const& b) {
    model::for_each_field<S>([&](auto const& field) {
      auto const& before = a.*field.member;
      auto const& after = b.*field.member;
      if (before == after) return;
      auto const here = pointer + '/' + std::string(field.name);
      using Member = std::remove_cvref_t<decltype(before)>;
      if constexpr (model::HasFields<Member>) compare(here, before, after);
      else leaf(here, write_value(before, Defaults::Omit), write_value(after, Defaults::Omit), field.meta.change);
    });
  }

  std::vector<Difference> all;

 private:
  void leaf(std::string const& pointer, Value const& before, Value const& after, Change change) {
    if (before.as_object() && after.as_object()) return by_key(pointer, *before.as_object(), *after.as_object(), change);
    all.push_back({pointer, before.is_null() ? "" : dump(before), after.is_null() ? "" : dump(after), change});
  }

  // Both in the order of their keys.
  void by_key(std::string const& pointer, Object const& before, Object const& after, Change change) {
    auto const add = [&](std::string const& key, std::string was, std::string is) {
      all.push_back({pointer + '/' + model::pointer_token(key), std::move(was), std::move(is), change});
    };
    for (auto const& member : before) {
      auto const* const now = after.find(member.key);
      if (!now) add(member.key, dump(member.value), "");
      else if (!(*now == member.value)) add(member.key, dump(member.value), dump(*now));
    }
    for (auto const& member : after) {
      if (!before.find(member.key)) add(member.key, "", dump(member.value));
    }
  }
};

}  // namespace

std::vector<Difference> diff(model::ServiceSpec const& before, model::ServiceSpec const& after) {
  Differences differences;
  differences.compare("#", before, after);
  return std::move(differences.all);
}

}  // namespace davit::codec
