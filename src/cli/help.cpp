#include "cli/help.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/session.hpp"
#include "cli/table.hpp"

namespace davit::cli {
namespace {

constexpr std::size_t kTextWidth = 100;

std::string usage(Command const& command) {
  auto text = fmt::format("davit {}", fmt::join(command.path, " "));
  if (!options_of(command).empty()) text += " [OPTIONS]";
  for (auto const& positional : command.positionals) {
    auto const name = positional.name + (positional.is_repeated ? "…" : "");
    text += positional.is_required ? " " + name : fmt::format(" [{}]", name);
  }
  return text;
}

std::string names_of(Option const& option) {
  auto text = option.letter ? fmt::format("-{}, --{}", option.letter, option.name) : fmt::format("    --{}", option.name);
  for (auto const& alias : option.aliases) text += ", --" + alias;
  return option.value.empty() ? text : text + " " + option.value;
}

// Breaks the text at blanks where it must, and where it does itself; every line but the first is indented.
std::string wrap(std::string_view text, std::size_t indent) {
  std::string wrapped;
  std::size_t column = indent;
  bool is_broken = false;
  while (!text.empty()) {
    auto const end = std::min(text.find_first_of(" \n"), text.size());
    auto const width = width_of(text.substr(0, end));
    if (is_broken || (column > indent && column + width > kTextWidth)) {
      wrapped += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
    }
    wrapped += text.substr(0, end);
    column += width + 1;
    is_broken = end < text.size() && text[end] == '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return wrapped;
}

std::string list_of_options(std::vector<Option> const& options) {
  constexpr std::size_t kIndent = 32;
  std::string text;
  for (auto const& option : options) {
    auto const names = "  " + names_of(option);
    bool const fits = width_of(names) + 2 <= kIndent;
    text += names + (fits ? std::string(kIndent - width_of(names), ' ') : "\n" + std::string(kIndent, ' '));
    text += wrap(option.help, kIndent) + '\n';
  }
  return text;
}

std::string list_of(std::vector<std::vector<std::string>> const& rows) {
  std::string text;
  for (auto const& line : align(rows)) text += "  " + line + '\n';
  return text;
}

std::vector<std::string> row_of(Registry const& registry, std::vector<std::string> const& path) {
  auto const* const command = registry.find(path);
  if (command) return {path.back(), command->summary};
  auto const group = registry.groups().find(fmt::format("{}", fmt::join(path, " ")));
  return {path.back(), group == registry.groups().end() ? "" : group->second};
}

}  // namespace

std::string overview(Registry const& registry) {
  std::vector<std::vector<std::string>> rows;
  for (auto const& word : registry.next_words({})) rows.push_back(row_of(registry, {word}));
  std::string text =
      "Davit runs containers as services on a cluster of machines as if it were one machine.\n\nUsage: davit [OPTIONS] "
      "COMMAND\n\nCommands:\n";
  text += list_of(rows);
  text += "\nOptions of the commands that ask a server:\n" + list_of_options(server_options());
  text +=
      "\nTo begin:\n"
      "  davit up                                                 # on this machine: master and worker\n"
      "  davit service create --name web --instances 3 -p 80 nginx\n"
      "  davit service ps web\n"
      "\nExit codes: 0 as it was asked for; 1 refused; 2 wrong usage; 3 not so (yet), or rolled back; 4 no server answers; 130 after "
      "Ctrl-C,\n"
      "which ends the watching alone.\n"
      "\ndavit COMMAND --help shows more about each.\n";
  return text;
}

std::string group_help(Registry const& registry, std::vector<std::string> const& path) {
  std::vector<std::vector<std::string>> rows;
  for (auto const& word : registry.next_words(path)) {
    auto longer = path;
    longer.push_back(word);
    rows.push_back(row_of(registry, longer));
  }
  auto const name = fmt::format("{}", fmt::join(path, " "));
  auto const group = registry.groups().find(name);
  auto const summary = group == registry.groups().end() ? std::string() : group->second + "\n\n";
  return fmt::format("{}Usage: davit {} COMMAND\n\nCommands:\n{}\ndavit {} COMMAND --help shows more about each.\n", summary, name,
                     list_of(rows), name);
}

std::string command_help(Command const& command) {
  auto text = fmt::format("{}\n\nUsage: {}\n", command.summary, usage(command));
  if (!command.details.empty()) text += "\n" + wrap(command.details, 0) + "\n";
  if (!command.examples.empty()) text += "\nExamples:\n";
  for (auto const& example : command.examples) text += "  " + example + '\n';
  if (!command.options.empty()) text += "\nOptions:\n" + list_of_options(command.options);
  if (!command.calls_server) return text;
  std::vector<Option> rest;
  auto const all = options_of(command);
  rest.assign(all.begin() + static_cast<std::ptrdiff_t>(command.options.size()), all.end());
  return text + "\nServer:\n" + list_of_options(rest);
}

}  // namespace davit::cli
