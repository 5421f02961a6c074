#include "cli/service_labels.hpp"

#include <algorithm>

#include "cli/filter.hpp"
#include "cli/paths.hpp"

namespace davit::cli {

Status keep_labelled(Session& session, std::string_view selector, codec::Value& list) {
  codec::Value::Array kept;
  for (auto& service : *list.as_array()) {
    auto const answer = session.call_blocking({.target = service_path(service.at("name").text())});
    if (!answer && answer.error().code == Code::NotFound) continue;  // gone since it was listed
    if (!answer) return std::unexpected<Error>(answer.error());
    auto const labels = answer->body.at("spec").at("labels").members();
    bool const fits =
        std::ranges::any_of(labels, [&](codec::Member const& label) { return fits_label(selector, label.key, label.value.text()); });
    if (fits) kept.push_back(std::move(service));
  }
  list = codec::Value(std::move(kept));
  return {};
}

}  // namespace davit::cli
