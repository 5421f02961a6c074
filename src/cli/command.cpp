#include "cli/command.hpp"

#include <algorithm>

#include "cli/session.hpp"

namespace davit::cli {

std::string Invocation::text(std::string_view option, std::string_view fallback) const {
  auto const found = values_.find(option);
  return found == values_.end() ? std::string(fallback) : found->second.back();
}

std::vector<std::string> const& Invocation::all(std::string_view option) const {
  static std::vector<std::string> const none;
  auto const found = values_.find(option);
  return found == values_.end() ? none : found->second;
}

Command const* Registry::find(std::vector<std::string> const& path) const {
  auto const found = std::ranges::find(commands_, path, &Command::path);
  return found == commands_.end() ? nullptr : &*found;
}

std::vector<std::string> Registry::next_words(std::vector<std::string> const& prefix) const {
  std::vector<std::string> words;
  for (auto const& command : commands_) {
    auto const& path = command.path;
    if (command.is_hidden || path.size() <= prefix.size() || !std::equal(prefix.begin(), prefix.end(), path.begin())) continue;
    auto const& word = path[prefix.size()];
    if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  return words;
}

std::vector<Option> options_of(Command const& command) {
  auto options = command.options;
  if (!command.calls_server) return options;
  for (auto const& option : server_options()) {
    // A command's own flag goes before: `service create` has no -H, but others may.
    bool const is_taken = std::ranges::any_of(options, [&](Option const& own) { return own.name == option.name; });
    if (!is_taken) options.push_back(option);
  }
  return options;
}

}  // namespace davit::cli
