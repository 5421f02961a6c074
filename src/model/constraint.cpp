#include "model/constraint.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

namespace davit::model {
namespace {

using Subject = Constraint::Subject;

constexpr std::string_view kLabelPrefix = "node.labels.";
constexpr std::string_view kSpread = "spread=";
constexpr std::size_t kMaxLength = 255;
// The first of several with one subject is how it is written.
constexpr std::array<std::pair<std::string_view, Subject>, 6> kSubjects{{{"node.id", Subject::Id},
                                                                         {"node.name", Subject::Name},
                                                                         {"node.hostname", Subject::Name},
                                                                         {"node.role", Subject::Role},
                                                                         {"node.platform.os", Subject::Os},
                                                                         {"node.platform.arch", Subject::Arch}}};

std::string_view trim(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_label_key(std::string_view key) {
  return !key.empty() && key.size() <= kMaxLength && is_alnum(key.front()) &&
         std::ranges::all_of(key, [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '/'; });
}

// Docker's: letters, digits and what may stand in names, paths and addresses.
bool is_value(std::string_view value) {
  constexpr std::string_view kOthers = ":-_ .*()?+[]\\^$|/";
  return !value.empty() && value.size() <= kMaxLength &&
         std::ranges::all_of(value, [&](char c) { return is_alnum(c) || kOthers.contains(c); });
}

bool is_role(std::string_view value) { return value == "master" || value == "manager" || value == "worker"; }

Status name_subject(std::string_view key, Constraint& constraint) {
  if (key.starts_with(kLabelPrefix) && is_label_key(key.substr(kLabelPrefix.size()))) {
    constraint.label = key.substr(kLabelPrefix.size());
    return {};
  }
  auto const known = std::ranges::find(kSubjects, key, [](auto const& each) { return each.first; });
  if (known != kSubjects.end()) {
    constraint.subject = known->second;
    return {};
  }
  if (key == "node.ip" || key.starts_with("engine.labels.")) {
    return fail(Code::Unsupported, fmt::format("{} is not supported yet: use a label of the node, node.labels.KEY", key));
  }
  return fail(Code::Invalid, fmt::format("'{}' is no property of a node: there are node.labels.KEY, node.name, node.id, node.role, "
                                         "node.platform.os and node.platform.arch",
                                         key));
}

}  // namespace

Result<Constraint> parse_constraint(std::string_view text) {
  auto at = text.find("==");
  Constraint constraint;
  if (auto const unequal = text.find("!="); unequal < at) at = unequal, constraint.is_equal = false;
  if (at == std::string_view::npos) return fail(Code::Invalid, "write node.labels.disk==ssd, or != in place of ==");
  TRY_VOID(name_subject(trim(text.substr(0, at)), constraint));
  constraint.value = trim(text.substr(at + 2));
  if (!is_value(constraint.value)) {
    return fail(Code::Invalid, fmt::format("what stands behind {} must be letters, digits or any of :-_.*()?+[]\\^$|/",
                                           constraint.is_equal ? "==" : "!="));
  }
  if (constraint.subject == Subject::Role && !is_role(constraint.value)) {
    return fail(Code::Invalid, fmt::format("'{}' is no role: there are master and worker", constraint.value));
  }
  if (constraint.value == "manager" && constraint.subject == Subject::Role) constraint.value = "master";  // docker's word
  return constraint;
}

std::string to_text(Constraint const& constraint) {
  auto const* const relation = constraint.is_equal ? "==" : "!=";
  if (constraint.subject == Subject::Label) return fmt::format("{}{}{}{}", kLabelPrefix, constraint.label, relation, constraint.value);
  auto const known = std::ranges::find(kSubjects, constraint.subject, [](auto const& each) { return each.second; });
  return fmt::format("{}{}{}", known->first, relation, constraint.value);
}

Result<std::string> parse_spread(std::string_view text) {
  auto key = trim(text);
  if (key.starts_with(kSpread)) key = trim(key.substr(kSpread.size()));
  if (key.starts_with(kLabelPrefix)) key.remove_prefix(kLabelPrefix.size());
  if (!is_label_key(key)) return fail(Code::Invalid, "write the key of a label of the nodes, as in node.labels.zone");
  return std::string(key);
}

std::string spread_label(Placement const& placement) {
  auto const& text = !placement.spread_by.empty() || placement.preferences.empty() ? placement.spread_by : placement.preferences.front();
  return parse_spread(text).value_or("");
}

}  // namespace davit::model
