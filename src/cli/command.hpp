// A command of the program, described as data: the parser, the help and the shell completion are all made from it.
// Registered once at the start (cli.hpp), by the client commands and by the app for those that run a node.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace davit::cli {

struct Option {
  std::string name;                  // "publish": given as --publish
  char letter = 0;                   // 'p': also as -p
  std::string value;                 // what must follow, as the help calls it ("PORT"); empty: a switch
  std::string help;
  std::vector<std::string> aliases;  // other long names
  std::vector<std::string> words;    // the values that completion offers
};

struct Positional {
  std::string name;  // SERVICE and NODE are completed with the names that the server knows
  bool is_required = true;
  bool is_repeated = false;
};

// What the user typed, sorted by the parser. Repeated options keep their order; of what takes one value the last counts.
class Invocation {
 public:
  bool has(std::string_view option) const { return values_.contains(option); }
  bool is_on(std::string_view option) const { return text(option) == "true"; }  // of a switch: "true" or "false"
  std::string text(std::string_view option, std::string_view fallback = {}) const;
  std::vector<std::string> const& all(std::string_view option) const;
  std::vector<std::string> const& words() const { return words_; }  // the positionals

  void add(std::string const& option, std::string value) { values_[option].push_back(std::move(value)); }
  void add_word(std::string word) { words_.push_back(std::move(word)); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> words_;
};

struct Command {
  std::vector<std::string> path;  // {"service", "create"}
  std::string summary;            // one line
  std::string details;            // more about it, for its own help; may be empty
  std::vector<std::string> examples;
  std::vector<Positional> positionals;
  std::vector<Option> options;
  bool takes_command = false;   // options end at the first positional: what follows belongs to the container
  bool calls_server = false;    // has the options that say which server to ask (session.hpp)
  bool is_hidden = false;       // from help and completion
  std::function<int(Invocation const&)> run;  // gives the exit code
};

class Registry {
 public:
  explicit Registry(std::string version) : version_(std::move(version)) {}

  void add(Command command) { commands_.push_back(std::move(command)); }
  void add_group(std::string name, std::string summary) { groups_.emplace(std::move(name), std::move(summary)); }

  std::string const& version() const { return version_; }
  std::vector<Command> const& commands() const { return commands_; }
  std::map<std::string, std::string, std::less<>> const& groups() const { return groups_; }  // name and summary
  Command const* find(std::vector<std::string> const& path) const;
  // What may stand after `prefix`: {"service"} gives create, ls, …
  std::vector<std::string> next_words(std::vector<std::string> const& prefix) const;

 private:
  std::string version_;
  std::vector<Command> commands_;
  std::map<std::string, std::string, std::less<>> groups_;
};

// All that the command takes: its own, and those for the server where it calls one.
std::vector<Option> options_of(Command const& command);

}  // namespace davit::cli
