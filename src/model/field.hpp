// Field tables: what each spec struct consists of, said once. Strict reading, writing, OpenAPI, diff and configuration are
// visitors over these tables (codec/), so a field that is added here is there everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

namespace davit::model {

// What a change of the field means for containers that run.
enum class Change : std::uint8_t {
  None,     // nothing: only Davit's own behaviour changes
  InPlace,  // instances come or go, the others stay as they are
  Replace,  // every container is replaced: a new revision
};

struct Meta {
  std::string_view doc;
  Change change = Change::Replace;
  bool required = false;
  std::optional<double> min{};
  std::optional<double> max{};
  std::string_view example{};      // JSON text
  std::string_view unsupported{};  // not built yet: refused with this hint when it is set to something
};

template <class S, class M>
struct Field {
  using Struct = S;
  using Member = M;
  std::string_view name;
  M S::* member;
  Meta meta;
};

template <class S, class M>
constexpr Field<S, M> field(std::string_view name, M S::* member, Meta meta) {
  return {name, member, meta};
}

template <class S>
struct Fields;  // specialised with: static constexpr std::string_view kName; static constexpr std::tuple kAll

template <class S>
concept HasFields = requires { Fields<S>::kAll; };

template <HasFields S, class F>
constexpr void for_each_field(F&& visit) {
  std::apply([&](auto const&... each) { (visit(each), ...); }, Fields<S>::kAll);
}

}  // namespace davit::model
