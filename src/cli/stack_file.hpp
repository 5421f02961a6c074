// The files of `davit apply`: one service with a `name`, or a `services` map as in compose; YAML or JSON; several documents. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "codec/value.hpp"
#include "codec/yaml.hpp"

namespace davit::cli {

struct StackService {
  std::string name;
  codec::Value spec;    // without name and x-…
  std::string pointer;  // of the service in its document
  std::shared_ptr<codec::YamlDocument const> document;

  // "compose.yaml:3:5" for a pointer into the spec, as the server's problems have them.
  std::string locate(std::string_view spec_pointer) const;
};

struct StackFile {
  std::vector<StackService> services;  // in the file's order
  std::vector<std::string> notes;      // what was left aside
};

// Errors hold one line for each thing that is wrong, each with its place.
Result<StackFile> read_stack(std::string_view text, std::string_view file_name);

}  // namespace davit::cli
