// What a scenario guarantees, whatever its trace says: each expectation holds at once, or within the time that it gives.
#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "sim/rules/final_state.hpp"
#include "sim/scenario/commands.hpp"

namespace davit::sim {
namespace {

using Missing = std::function<std::string()>;  // why it does not hold; empty: it does

std::string places_of(Stage& stage, std::string const& service) {
  std::vector<std::string> places;
  for (auto const* run : stage.watch().running(service))
    places.push_back(fmt::format("{} r{} on {}{}", slot_name(*run), run->revision, run->node, run->is_well ? "" : " (not well)"));
  return places.empty() ? "nothing of it runs" : fmt::format("{}", fmt::join(places, ", "));
}

// expect web running 4/4: so many slots of so many, each with one container that is well, of the current revision, and nothing else.
Result<Missing> running(Stage& stage, Words const& words) {
  auto const slash = words[2].find('/');
  if (slash == std::string::npos) return fail(Code::Invalid, "expect SERVICE running N/M");
  TRY(auto const wanted, parse_count(words[2].substr(0, slash)));
  TRY(auto const slots, parse_count(words[2].substr(slash + 1)));
  return [&stage, service = words[0], wanted, slots]() -> std::string {
    auto const head = stage.head(service);
    if (!head) return head.error().message;
    if ((*head)->spec()->instances != slots) return fmt::format("{} are wanted", (*head)->spec()->instances);
    std::set<std::int64_t> filled;
    std::size_t others = 0;
    for (auto const* run : stage.watch().running(service)) {
      bool const counts = run->is_well && run->uid == to_string((*head)->uid) && run->revision == (*head)->revision;
      if (!counts || !filled.insert(run->slot).second) ++others;
    }
    if (others == 0 && static_cast<std::int64_t>(filled.size()) == wanted) return {};
    return places_of(stage, service);
  };
}

// expect web untouched [but on w2 …]: what ran at the mark runs on.
Result<Missing> untouched(Stage& stage, Words const& words) {
  std::set<std::string> excepted;
  for (std::size_t i = 4; i < words.size(); ++i) excepted.insert(stage.resolve(words[i]));
  return [&stage, service = words[0], excepted]() -> std::string {
    std::size_t marked = 0;
    for (auto const& run : stage.watch().runs()) {
      if (run.service != service || !run.is_marked || excepted.contains(run.node)) continue;
      ++marked;
      if (run.to) return fmt::format("{} on {} was ended", slot_name(run), run.node);
    }
    return marked == 0 ? "nothing of it ran at the mark" : "";
  };
}

// expect web starts 2: since the mark.
Result<Missing> starts(Stage& stage, Words const& words) {
  TRY(auto const wanted, parse_count(words[2]));
  return [&stage, service = words[0], wanted]() -> std::string {
    auto const started = std::ranges::count_if(
        stage.watch().runs(), [&](ContainerRun const& run) { return run.service == service && run.from > stage.watch().marked_at(); });
    return started == wanted ? "" : fmt::format("{} were started", started);
  };
}

// expect web never below 3: since the mark.
Result<Missing> never_below(Stage& stage, Words const& words) {
  TRY(auto const least, parse_count(words[3]));
  return [&stage, service = words[0], least]() -> std::string {
    auto const fewest = stage.watch().fewest_since_mark(service);
    return static_cast<std::int64_t>(fewest) >= least ? "" : fmt::format("there were {}", fewest);
  };
}

// expect web never doubled; expect web doubled at most 8s.
Result<Missing> doubled(Stage& stage, std::string const& service, Duration most) {
  return [&stage, service, most]() -> std::string {
    auto const longest = stage.watch().longest_double(service);
    return longest <= most ? "" : fmt::format("two ran for one slot, for {}", format_duration(longest));
  };
}

Result<Missing> owned(Stage& stage, std::string const& service, std::string const& master, bool is_wanted) {
  return [&stage, service, master = stage.resolve(master), is_wanted]() -> std::string {
    auto const owner = stage.owner_of(service);
    if (!owner) return owner.error().message;
    return (*owner == master) == is_wanted ? "" : *owner + " owns it";
  };
}

Result<Missing> rollout(Stage& stage, Words const& words) {
  return [&stage, service = words[0], wanted = words[2]]() -> std::string {
    auto const head = stage.head(service);
    if (!head) return head.error().message;
    auto const state = model::to_string((*head)->rollout.state);
    return state == wanted ? "" : fmt::format("it is {}: {}", state, (*head)->rollout.message);
  };
}

Result<Missing> at_number(Stage& stage, Words const& words) {
  TRY(auto const wanted, parse_count(words[2]));
  return [&stage, service = words[0], is_revision = words[1] == "revision", wanted]() -> std::string {
    auto const head = stage.head(service);
    if (!head) return head.error().message;
    auto const number = is_revision ? std::int64_t{(*head)->revision} : static_cast<std::int64_t>((*head)->generation);
    return number == wanted ? "" : fmt::format("it is {}", number);
  };
}

Result<Missing> gone(Stage& stage, Words const& words) {
  return [&stage, service = words[0]]() -> std::string {
    if (stage.head(service)) return "it is in the journal";
    return stage.watch().running(service).empty() ? "" : places_of(stage, service);
  };
}

// expect w2 is down; expect w2 runs web 1.
Result<Missing> of_node(Stage& stage, Words const& words) {
  auto const node = stage.resolve(words[0]);
  if (words[1] == "is") {
    return [&stage, node, wanted = words[2]]() -> std::string {
      for (auto const& [id, record] : stage.journals().nodes()) {
        if (record.name == node)
          return model::to_string(record.status) == wanted ? "" : fmt::format("it is {}", model::to_string(record.status));
      }
      return "it is not recorded";
    };
  }
  TRY(auto const wanted, parse_count(words.at(3)));
  return [&stage, node, service = words[2], wanted]() -> std::string {
    auto const all = stage.watch().running(service);
    auto const here = std::ranges::count_if(all, [&](auto const* run) { return run->node == node; });
    return here == wanted ? "" : fmt::format("{} run there", here);
  };
}

// expect m1 sees web 3/4: what that master shows its users. expect m1 has a|no session. expect m1 has ended.
Result<Missing> of_master(Stage& stage, Words const& words) {
  TRY(auto* master, stage.master(words[0]));
  if (words.size() == 3) {
    return [master]() -> std::string { return master->master() ? "its process runs" : ""; };
  }
  if (words[1] == "has") {
    return [&stage, master, is_wanted = words[2] == "a"]() -> std::string {
      return stage.has_session(*master) == is_wanted ? "" : is_wanted ? "it has none" : "it has one";
    };
  }
  return [master, service = words[2], wanted = words[3]]() -> std::string {
    auto const* view = master->master();
    auto const* seen = view ? view->find_service(service) : nullptr;
    if (!seen) return "it shows no such service";
    auto const shown = fmt::format("{}/{}", seen->status.ready, seen->status.desired);
    return shown == wanted ? "" : fmt::format("it shows {}: {}", shown, seen->status.message);
  };
}

// expect hold; expect no hold: on mass downing, as the store has it.
Result<Missing> hold(Stage& stage, bool is_wanted) {
  return [&stage, is_wanted]() -> std::string {
    for (auto const& master : stage.cluster().masters()) {
      auto const* view = master->master();
      if (view && view->is_coordinator()) return view->hold().empty() != is_wanted ? "" : is_wanted ? "nothing is held" : view->hold();
    }
    return "there is no coordinator";
  };
}

// expect answer r1 done|unanswered|replayed|CODE
Result<Missing> answer(Stage& stage, Words const& words) {
  return [&stage, name = words[1], wanted = words[2]]() -> std::string {
    auto const found = stage.requests().find(name);
    if (found == stage.requests().end()) return "nobody asked";
    auto const& answers = found->second.answers;
    if (answers.empty()) return wanted == "unanswered" ? "" : "there is no answer";
    auto const& last = answers.back();
    auto const is = !last ? to_string(last.error().code) : last->replayed ? "replayed" : "done";
    return is == wanted ? "" : fmt::format("it was {}{}", is, last ? "" : ": " + last.error().message);
  };
}

// expect db.1 given: the record of a slot that must not be doubled.
Missing given(Stage& stage, std::string const& slot) {
  return [&stage, slot]() -> std::string {
    auto const holder = stage.holder_of(slot);
    return holder ? "" : holder.error().message;
  };
}

Missing well(Stage& stage) {
  return [&stage]() -> std::string {
    auto reasons = stage.cluster().pending();
    if (reasons.empty()) reasons = differences(stage.cluster(), stage.journals());
    return fmt::format("{}", fmt::join(reasons, "; "));
  };
}

Result<Missing> of_service(Stage& stage, Words const& words) {
  auto const is = [&](std::size_t i, char const* word) { return words.size() > i && words[i] == word; };
  if (words.size() == 3 && is(1, "running")) return running(stage, words);
  if (is(1, "untouched") && (words.size() == 2 || (is(2, "but") && is(3, "on")))) return untouched(stage, words);
  if (words.size() == 3 && is(1, "starts")) return starts(stage, words);
  if (words.size() == 4 && is(1, "never") && is(2, "below")) return never_below(stage, words);
  if (words.size() == 3 && is(1, "never") && is(2, "doubled")) return doubled(stage, words[0], 0s);
  if (words.size() == 5 && is(1, "doubled") && is(2, "at") && is(3, "most")) {
    TRY(auto const most, parse_duration(words[4]));
    return doubled(stage, words[0], most);
  }
  if (words.size() == 4 && is(1, "owned") && is(2, "by")) return owned(stage, words[0], words[3], true);
  if (words.size() == 5 && is(1, "not") && is(2, "owned") && is(3, "by")) return owned(stage, words[0], words[4], false);
  if (words.size() == 3 && is(1, "rollout")) return rollout(stage, words);
  if (words.size() == 3 && (is(1, "revision") || is(1, "generation"))) return at_number(stage, words);
  if (words.size() == 2 && is(1, "gone")) return gone(stage, words);
  return fail(Code::Invalid, "this can not be expected");
}

Result<Missing> meaning_of(Stage& stage, Words const& words) {
  if (words.size() == 1 && words[0] == "well") return well(stage);
  if (words.size() == 1 && words[0] == "hold") return hold(stage, true);
  if (words.size() == 2 && words[1] == "given") return given(stage, words[0]);
  if (words.size() == 2 && words[0] == "no" && words[1] == "hold") return hold(stage, false);
  if (words.size() == 3 && words[0] == "answer") return answer(stage, words);
  if (words.size() == 4 && (words[1] == "sees" || (words[1] == "has" && words[3] == "session"))) return of_master(stage, words);
  if (words.size() == 3 && words[1] == "has" && words[2] == "ended") return of_master(stage, words);
  if ((words.size() == 3 && words[1] == "is") || (words.size() == 4 && words[1] == "runs")) return of_node(stage, words);
  return of_service(stage, words);
}

}  // namespace

Status expect(Stage& stage, Words const& words) {
  Words what(words.begin() + 1, words.end());
  Duration limit{};
  if (what.size() > 2 && what[what.size() - 2] == "within") {
    TRY(limit, parse_duration(what.back()));
    what.resize(what.size() - 2);
  }
  TRY(auto const missing, meaning_of(stage, what));
  return stage.wait_for(missing, limit);
}

}  // namespace davit::sim
