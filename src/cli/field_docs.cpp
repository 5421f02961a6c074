// Apart from the flags, because the walk over all field tables costs compile time.
#include <optional>

#include "cli/spec_flags.hpp"
#include "model/spec_fields.hpp"

namespace davit::cli {
namespace {

template <class T>
struct Unwrapped {
  using Type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using Type = T;
};

template <model::HasFields S>
std::string_view find_doc(std::string_view path) {
  auto const slash = path.find('/');
  auto const name = path.substr(0, slash);
  std::string_view doc;
  model::for_each_field<S>([&]<class M>(model::Field<S, M> const& field) {
    if (field.name != name) return;
    using Member = Unwrapped<M>::Type;
    if (slash == std::string_view::npos) doc = field.meta.doc;
    else if constexpr (model::HasFields<Member>) doc = find_doc<Member>(path.substr(slash + 1));
  });
  return doc;
}

}  // namespace

std::string_view doc_of_field(std::string_view path) { return find_doc<model::ServiceSpec>(path); }

}  // namespace davit::cli
