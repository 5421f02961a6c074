#include "cli/completion.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

constexpr std::string_view kBash = R"(# davit completion bash > /etc/bash_completion.d/davit
_davit() {
  local IFS=$'\n'
  COMPREPLY=($(davit __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _davit davit
)";

constexpr std::string_view kZsh = R"(#compdef davit
# davit completion zsh > "${fpath[1]}/_davit"
_davit() {
  local -a found
  found=("${(@f)$(davit __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found[1]" ]]; then compadd -- $found; else _files; fi
}
compdef _davit davit
)";

Option const* find_option(std::vector<Option> const& options, std::string_view word) {
  auto const is_it = [&](Option const& option) {
    if (word == "--" + option.name || (option.letter && word == std::string{'-', option.letter})) return true;
    return std::ranges::any_of(option.aliases, [&](auto const& alias) { return word == "--" + alias; });
  };
  auto const found = std::ranges::find_if(options, is_it);
  return found == options.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(std::vector<Option> const& options) {
  std::vector<std::string> names{"--help"};
  for (auto const& option : options) {
    names.push_back("--" + option.name);
    for (auto const& alias : option.aliases) names.push_back("--" + alias);
  }
  return names;
}

std::vector<std::string> positional_names(Command const& command, KnownNames const& names) {
  if (command.positionals.empty()) return {};
  auto const& name = command.positionals.front().name;
  if (name.starts_with("SERVICE")) return names("SERVICE");
  return name == "NODE" ? names("NODE") : std::vector<std::string>();
}

std::vector<std::string> candidates(Registry const& registry, std::vector<std::string> const& words, KnownNames const& names) {
  std::vector<std::string> path;
  Command const* command = nullptr;
  Option const* pending = nullptr;  // an option whose value comes next
  auto options = server_options();
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    auto const& word = words[i];
    if (std::exchange(pending, nullptr)) continue;
    if (word.starts_with('-')) {
      auto const* const option = find_option(options, word);
      if (option && !option->value.empty()) pending = option;
    } else if (!command) {
      path.push_back(word);
      command = registry.find(path);
      if (command) options = options_of(*command);
    } else if (command->takes_command) {
      return {};  // the container's command
    }
  }
  if (pending) return pending->words;
  if (words.back().starts_with('-')) return names_of(options);
  return command ? positional_names(*command, names) : registry.next_words(path);
}

Result<int> print_completions(Registry const& registry, Session& session, Invocation const& invocation) {
  auto const names = [&](std::string_view kind) {
    std::vector<std::string> all;
    auto const list = session.list_blocking(kind == "NODE" ? "/nodes" : "/services");
    if (!list) return all;
    for (auto const& item : list->items()) all.emplace_back(item.at("name").text());
    return all;
  };
  for (auto const& word : completions(registry, invocation.words(), names)) print_out(word + "\n");
  return kConverged;
}

int print_script(Invocation const& invocation) {
  auto const& shell = invocation.words().front();
  auto const script = completion_script(shell);
  print_out(script);
  if (!script.empty()) return kConverged;
  print_note(fmt::format("no completion for {}; take bash or zsh", shell));
  return kUsage;
}

}  // namespace

std::vector<std::string> completions(Registry const& registry, std::vector<std::string> const& words, KnownNames const& names) {
  auto const asked = words.empty() ? std::vector<std::string>{""} : words;
  auto all = candidates(registry, asked, names);
  std::erase_if(all, [&](std::string const& each) { return !each.starts_with(asked.back()); });
  return all;
}

std::string_view completion_script(std::string_view shell) {
  if (shell == "bash") return kBash;
  return shell == "zsh" ? kZsh : std::string_view();
}

Command completion_command() {
  return {.path = {"completion"},
          .summary = "Print a script that completes davit's commands in a shell: bash or zsh.",
          .examples = {"source <(davit completion bash)", "davit completion zsh > \"${fpath[1]}/_davit\""},
          .positionals = {{.name = "SHELL"}},
          .run = print_script};
}

Command complete_command(Registry const* registry) {
  return {.path = {"__complete"},
          .summary = "What may stand in place of the last word.",
          .positionals = {{.name = "WORD", .is_required = false, .is_repeated = true}},
          .takes_command = true,
          .is_hidden = true,
          .run = with_session(
              [registry](Session& session, Invocation const& invocation) { return print_completions(*registry, session, invocation); })};
}

}  // namespace davit::cli
