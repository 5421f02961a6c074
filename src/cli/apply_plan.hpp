// What `davit apply` is about to do to one service, and how that is shown. Pure.
#pragma once

#include <string>
#include <vector>

#include "codec/spec.hpp"
#include "codec/value.hpp"

namespace davit::cli {

struct Step {
  enum class Action : std::uint8_t { Create, Change, Keep, Remove };

  std::string service;
  Action action = Action::Keep;
  std::vector<codec::Difference> differences;
  bool replaces = false;  // the containers
};

// From the spec that stands (null: there is none) and the one that the server would make of the file's, both canonical.
Step plan_step(std::string service, codec::Value const& before, codec::Value const& after);

// "web: changed, its containers are replaced" and a line "  ~ #/image: … → …" for each difference.
std::string step_text(Step const& step);
codec::Value step_json(Step const& step);

// Those of `labelled` (a list of services) that `kept` does not name.
std::vector<std::string> names_to_prune(codec::Value const& labelled, std::vector<std::string> const& kept);

}  // namespace davit::cli
