// The only file that includes CLI11, which costs seconds to compile: it is given the options of the one command that was
// named, and does what is tedious about them (--a=b, -ab, -a5, --).
#include "cli/parse.hpp"

#include <algorithm>
#include <span>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "base/nearest.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

bool is_option(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

Result<Parsed> fail_usage(std::string message) { return fail(Code::Invalid, std::move(message)); }

std::string command_line(Parsed const& parsed) {
  return parsed.path.empty() ? "davit" : fmt::format("davit {}", fmt::join(parsed.path, " "));
}

std::string suggest(std::string_view word, std::vector<std::string> const& known, Parsed const& parsed) {
  auto const near = nearest(word, known);
  return near.empty() ? fmt::format("see {} --help", command_line(parsed)) : fmt::format("did you mean {}?", near);
}

// Moves what stands before the command ("--host H") into `leading`; gives the index of the first word of the path.
std::size_t skip_leading(std::span<std::string const> words, std::vector<std::string>& leading) {
  std::size_t at = 0;
  while (at < words.size() && is_option(words[at])) {
    auto const& word = words[at++];
    leading.push_back(word);
    bool const takes_next = std::ranges::any_of(server_options(), [&](Option const& option) {
      return !option.value.empty() && (word == "--" + option.name || word == std::string{'-', option.letter});
    });
    if (takes_next && at < words.size()) leading.push_back(words[at++]);
  }
  return at;
}

// Walks down the tree of commands as far as the words lead.
Status find_command(Registry const& registry, std::span<std::string const> words, Parsed& parsed) {
  for (auto const& word : words) {
    if (word == "--help" || word == "-h") {
      parsed.wants_help = true;
      return {};
    }
    auto path = parsed.path;
    path.push_back(word);
    auto const known = registry.next_words(parsed.path);
    parsed.command = registry.find(path);
    if (!parsed.command && std::ranges::find(known, word) == known.end()) {
      return fail(Code::Invalid, fmt::format("{}: no such command: {}; {}", command_line(parsed), word, suggest(word, known, parsed)));
    }
    parsed.path = std::move(path);
    if (parsed.command) return {};
  }
  return {};
}

std::string names_for_cli11(Option const& option) {
  std::string names = "--" + option.name;
  if (option.letter) names += fmt::format(",-{}", option.letter);
  for (auto const& alias : option.aliases) names += ",--" + alias;
  return names;
}

std::vector<std::string> long_names(std::vector<Option> const& options) {
  std::vector<std::string> names;
  for (auto const& option : options) {
    names.push_back("--" + option.name);
    for (auto const& alias : option.aliases) names.push_back("--" + alias);
  }
  return names;
}

// What CLI11 left over: positionals, "--", and options that nobody knows.
Status take_words(std::vector<std::string> const& rest, std::vector<Option> const& options, Parsed& parsed) {
  bool options_ended = false;
  for (auto const& word : rest) {
    if (word == "--" && !options_ended) {
      options_ended = true;
      continue;
    }
    if (!options_ended && is_option(word)) {
      auto const name = word.substr(0, word.find('='));
      return fail(Code::Invalid,
                  fmt::format("{}: no such option: {}; {}", command_line(parsed), name, suggest(name, long_names(options), parsed)));
    }
    if (parsed.command->takes_command) options_ended = true;
    parsed.invocation.add_word(word);
  }
  return {};
}

Status check_count(Parsed const& parsed) {
  auto const& wanted = parsed.command->positionals;
  auto const& given = parsed.invocation.words();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].is_required && given.size() <= i) {
      return fail(Code::Invalid,
                  fmt::format("{}: {} is missing; see {} --help", command_line(parsed), wanted[i].name, command_line(parsed)));
    }
  }
  bool const takes_more = !wanted.empty() && wanted.back().is_repeated;
  if (takes_more || given.size() <= wanted.size()) return {};
  return fail(Code::Invalid,
              fmt::format("{}: one word too many: {}; see {} --help", command_line(parsed), given[wanted.size()], command_line(parsed)));
}

void define(CLI::App& app, std::vector<Option> const& options) {
  for (auto const& option : options) {
    if (option.value.empty()) app.add_flag(names_for_cli11(option));
    else app.add_option(names_for_cli11(option))->type_size(1)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

void take_options(CLI::App& app, std::vector<Option> const& options, Invocation& invocation) {
  for (auto const& option : options) {
    auto const* const given = app.get_option("--" + option.name);
    for (auto const& value : given->results()) {
      bool const is_off = option.value.empty() && (value == "false" || value == "0");
      invocation.add(option.name, !option.value.empty() ? value : is_off ? "false" : "true");
    }
  }
}

Status parse_options(std::vector<std::string> words, Parsed& parsed) {
  auto options = options_of(*parsed.command);
  options.push_back({.name = "help", .letter = 'h', .help = "This text."});
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.prefix_command(parsed.command->takes_command);
  define(app, options);
  std::ranges::reverse(words);  // CLI11 takes them from the end
  try {
    app.parse(std::move(words));
  } catch (CLI::ParseError const& error) {
    return fail(Code::Invalid, fmt::format("{}: {}; see {} --help", command_line(parsed), error.what(), command_line(parsed)));
  }
  take_options(app, options, parsed.invocation);
  parsed.wants_help = parsed.invocation.has("help");
  if (parsed.wants_help) return {};
  TRY_VOID(take_words(app.remaining(), options, parsed));
  return check_count(parsed);
}

}  // namespace

Result<Parsed> parse(Registry const& registry, std::vector<std::string> const& all) {
  Parsed parsed;
  std::vector<std::string> leading;
  std::span<std::string const> words(all);
  words = words.subspan(skip_leading(words, leading));
  auto const leads_with = [&](std::string_view name) { return std::ranges::find(leading, name) != leading.end(); };
  parsed.wants_version = leads_with("--version");
  parsed.wants_help = leads_with("--help") || leads_with("-h");
  if (!words.empty() && words.front() == "help") {
    words = words.subspan(1);
    parsed.wants_help = true;
  }
  bool const wants_help = parsed.wants_help;
  TRY_VOID(find_command(registry, words, parsed));
  parsed.wants_help |= wants_help;
  if (parsed.wants_help || parsed.wants_version) return parsed;
  if (!parsed.command && parsed.path.empty() && !leading.empty() && words.empty()) {
    return fail_usage(fmt::format("davit: {} and no command; see davit --help", leading.front()));
  }
  if (!parsed.command) return parsed;
  std::vector<std::string> rest(leading);
  words = words.subspan(parsed.path.size());
  rest.insert(rest.end(), words.begin(), words.end());
  TRY_VOID(parse_options(std::move(rest), parsed));
  return parsed;
}

}  // namespace davit::cli
