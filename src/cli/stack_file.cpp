#include "cli/stack_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "model/problem.hpp"

namespace davit::cli {
namespace {

using codec::Value;

// The documents between the lines "---", each with as many empty lines before it as make its marks those of the file.
std::vector<std::string> split_documents(std::string_view text) {
  std::vector<std::string> documents(1);
  std::size_t lines = 0;
  while (!text.empty()) {
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    bool const is_marker = line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
    if (is_marker) documents.emplace_back(lines, '\n');
    // What stands behind the marker stays in its column.
    documents.back() += is_marker ? "   " + std::string(line.substr(3)) : std::string(line);
    documents.back() += '\n';
    ++lines;
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return documents;
}

class Reader {
 public:
  explicit Reader(std::string_view file_name) : file_name_(file_name) {}

  void read(std::string const& text) {
    auto parsed = codec::parse_yaml(text, file_name_);
    if (!parsed) return add_problem(parsed.error().message);
    auto const document = std::make_shared<codec::YamlDocument const>(*std::move(parsed));
    auto const& root = document->root;
    if (root.is_null()) return;
    if (!root.as_object()) return refuse(*document, "#", fmt::format("expected a mapping, got {}", describe(root)));
    if (root.as_object()->find("services")) read_services(document);
    else if (root.as_object()->find("name")) read_single(document);
    else refuse(*document, "#", "neither `name` (one service) nor `services` (a map of them)");
  }

  Result<StackFile> take() && {
    if (problems_.empty() && file_.services.empty()) add_problem(fmt::format("{}: holds no service", file_name_));
    if (!problems_.empty()) return fail(Code::Invalid, std::move(problems_));
    return std::move(file_);
  }

 private:
  using Document = std::shared_ptr<codec::YamlDocument const>;

  void read_single(Document const& document) {
    auto const* const name = document->root.at("name").as_string();
    if (!name) return refuse(*document, "#/name", "the name must be a string");
    Value spec = document->root;
    spec.as_object()->erase("name");
    add_service({.name = *name, .spec = std::move(spec), .pointer = "#", .document = document});
  }

  void read_services(Document const& document) {
    static std::vector<std::string> const known{"services", "name", "version"};
    for (auto const& member : document->root.members()) {
      auto const& key = member.key;
      auto const pointer = "#/" + model::pointer_token(key);
      if (key == "services" || key.starts_with("x-")) continue;
      if (key == "name" || key == "version") {
        file_.notes.push_back(fmt::format("{}: {} has no meaning here and is left aside", document->locate(pointer), key));
      } else if (key == "volumes") {
        refuse(*document, pointer, "named volumes need no declaration: remove this");
      } else {
        auto const near = nearest(key, known);
        refuse(*document, pointer, fmt::format("{} is not supported{}", key, near.empty() ? "" : "; did you mean " + near + "?"));
      }
    }
    auto const& services = document->root.at("services");
    if (!services.as_object())
      return refuse(*document, "#/services", fmt::format("expected a map of services, got {}", describe(services)));
    for (auto const& member : services.members()) {
      auto const pointer = "#/services/" + model::pointer_token(member.key);
      if (member.key.starts_with("x-")) continue;
      add_service({.name = member.key, .spec = member.value, .pointer = pointer, .document = document});
    }
  }

  void add_service(StackService service) {
    auto* const object = service.spec.as_object();
    if (!object) return refuse(*service.document, service.pointer, fmt::format("expected a service, got {}", describe(service.spec)));
    std::vector<std::string> extensions;
    for (auto const& member : *object) {
      if (member.key.starts_with("x-")) extensions.push_back(member.key);
    }
    for (auto const& key : extensions) object->erase(key);
    auto const earlier = std::ranges::find(file_.services, service.name, &StackService::name);
    if (earlier == file_.services.end()) return file_.services.push_back(std::move(service));
    refuse(*service.document, service.pointer, fmt::format("{} is described already, at {}", service.name, earlier->locate("#")));
  }

  void refuse(codec::YamlDocument const& document, std::string_view pointer, std::string_view why) {
    add_problem(fmt::format("{}: {}", document.locate(pointer), why));
  }
  void add_problem(std::string_view line) {
    if (!problems_.empty()) problems_ += "\n  ";
    problems_ += line;
  }

  std::string file_name_;
  StackFile file_;
  std::string problems_;
};

}  // namespace

std::string StackService::locate(std::string_view spec_pointer) const {
  auto const below = spec_pointer.starts_with('#') ? spec_pointer.substr(1) : std::string_view();
  return document->locate(pointer + std::string(below));
}

Result<StackFile> read_stack(std::string_view text, std::string_view file_name) {
  Reader reader(file_name);
  for (auto const& document : split_documents(text)) reader.read(document);
  return std::move(reader).take();
}

}  // namespace davit::cli
