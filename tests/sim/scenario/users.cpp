// What users and operators ask for. `ask` sends one request to one master and goes on; without it the user tries one master after the
// other until he has an answer, and it must be a good one.
#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "codec/spec.hpp"
#include "codec/yaml.hpp"
#include "sim/scenario/commands.hpp"

namespace davit::sim {
namespace {

constexpr Duration kPatience = 30s;
constexpr Duration kTryEvery = 1s;

// "update_config.monitor=2s" into the patch.
Status set_field(codec::Value& patch, std::string const& word) {
  auto const equals = word.find('=');
  if (equals == std::string::npos) return fail(Code::Invalid, fmt::format("'{}' is no FIELD=VALUE", word));
  TRY(auto const value, codec::parse_yaml(word.substr(equals + 1), word));
  auto* at = &patch;
  auto path = std::string_view(word).substr(0, equals);
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    auto const key = path.substr(0, dot);
    auto& object = *at->as_object();
    at = object.find(key) ? object.find(key) : &object.set(key, codec::Value::object());
    path.remove_prefix(dot + 1);
  }
  at->set(path, value.root);
  return {};
}

// `words` from the third on change it.
Result<model::SpecRef> changed(codec::Value before, Words const& words) {
  auto patch = codec::Value::object();
  for (std::size_t i = 2; i < words.size(); ++i) TRY_VOID(set_field(patch, words[i]));
  auto read = codec::read_spec(codec::merge_patch(std::move(before), patch));
  if (!read.problems.empty())
    return fail(Code::Invalid, fmt::format("{}: {}", read.problems.front().pointer, read.problems.front().detail));
  return std::make_shared<model::ServiceSpec const>(std::move(read.spec));
}

Result<model::CommandBody> body_of(Stage& stage, Words const& words) {
  if (words.size() < 2) return fail(Code::Invalid, fmt::format("{} what?", words[0]));
  auto const& verb = words[0];
  if (verb == "create") {
    TRY(auto spec, changed(codec::Value::object(), words));
    return model::Create{std::move(spec)};
  }
  if (verb == "update" || verb == "scale") {
    TRY(auto const* head, stage.head(words[1]));
    auto fields = words;
    if (verb == "scale" && fields.size() > 2) fields[2] = "instances=" + fields[2];
    TRY(auto spec, changed(codec::write_spec(*head->spec()), fields));
    return model::Replace{std::move(spec)};
  }
  if (verb == "restart-instances") return model::Restart{};
  if (verb == "rollback") return model::Rollback{};
  if (verb == "hold-rollout") return model::Pause{};
  if (verb == "resume-rollout") return model::Resume{};
  if (verb == "remove") return model::Remove{};
  return fail(Code::Invalid, fmt::format("nobody can ask for '{}'", verb));
}

Result<Stage::Request*> new_request(Stage& stage, std::string const& name, Words const& words) {
  auto& request = stage.requests()[name];
  if (!request.command.request_id.empty()) return &request;  // a retry: the same words by the same id
  TRY(auto body, body_of(stage, words));
  request.command = {.service = words[1],
                     .author = "user",
                     .request_id = name,
                     .fingerprint = stable_hash(fmt::format("{}", fmt::join(words, " "))),
                     .if_generation = {},
                     .body = std::move(body)};
  return &request;
}

void send(Stage& stage, MasterNode& master, std::string const& name, bool is_told) {
  auto& request = stage.requests().at(name);
  stage.observer().on_asked(name, request.command.service);
  bool const is_sent = master.command(request.command, [&stage, name, is_told](Result<model::Applied> outcome) {
    stage.observer().on_acknowledged(name, outcome);
    if (is_told) stage.story().on_answer(name, outcome);
    stage.requests().at(name).answers.push_back(std::move(outcome));
  });
  if (!is_sent) request.answers.emplace_back(fail(Code::Unavailable, "nobody listens there"));
}

Status ask(Stage& stage, Words const& words) {
  if (words.size() < 6 || words[2] != "as") return wrong(words, "ask MASTER as NAME VERB SERVICE …");
  TRY(auto* master, stage.master(words[1]));
  TRY_VOID(new_request(stage, words[3], {words.begin() + 4, words.end()}));
  send(stage, *master, words[3], true);
  return {};
}

Status ask_anyone(Stage& stage, Words const& words) {
  auto const name = fmt::format("user-{}", stage.requests().size() + 1);
  TRY(auto* request, new_request(stage, name, words));
  std::size_t tries = 0;
  auto next = stage.now();
  auto const is_answered = [&] { return std::ranges::any_of(request->answers, [](auto const& each) { return each.has_value(); }); };
  return stage.wait_for(
      [&]() -> std::string {
        if (is_answered()) return {};
        if (stage.now() >= next) {
          send(stage, *stage.cluster().masters()[tries++ % stage.cluster().masters().size()], name, false);
          next = stage.now() + kTryEvery;
        }
        if (is_answered()) return {};
        return request->answers.empty() || request->answers.back() ? "no answer" : request->answers.back().error().message;
      },
      kPatience);
}

// ---- operators

Status ask_of_node(Stage& stage, Words const& words, model::NodeCommand command) {
  if (words.size() != 2) return wrong(words, fmt::format("{} WORKER", words[0]));
  TRY(auto const* agent, stage.agent(words[1]));
  command.node = agent->machine().id();
  TRY(auto const coordinator, stage.coordinator());
  TRY(auto* master, stage.master(coordinator));
  auto outcome = std::make_shared<std::string>("no answer");
  bool const is_sent = master->node_command(
      std::move(command), [outcome](Result<model::Applied> answer) { *outcome = answer ? std::string{} : answer.error().message; });
  if (!is_sent) return fail(Code::Unavailable, "the coordinator does not run");
  return stage.wait_for([&] { return *outcome; }, kPatience);
}

Status drain(Stage& stage, Words const& words) {
  return ask_of_node(stage, words, {.labels = {}, .availability = model::Availability::Drain});
}
Status activate(Stage& stage, Words const& words) {
  return ask_of_node(stage, words, {.labels = {}, .availability = model::Availability::Active});
}
Status mark_down(Stage& stage, Words const& words) {
  return ask_of_node(stage, words, {.labels = {}, .availability = {}, .mark_down = true});
}
Status forget(Stage& stage, Words const& words) { return ask_of_node(stage, words, {.labels = {}, .availability = {}, .forget = true}); }

// The master that is asked finds the moves; the owners carry them out.
Status rebalance(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "rebalance MASTER");
  TRY(auto* node, stage.master(words[1]));
  if (!node->master()) return fail(Code::Unavailable, fmt::format("{} does not run", words[1]));
  auto by_service = node->moves_to_rebalance(100);
  if (by_service.empty()) return fail(Code::Invalid, "nothing would stand better elsewhere");
  auto left = std::make_shared<std::size_t>(by_service.size());
  auto problem = std::make_shared<std::string>();
  for (auto& [service, move] : by_service) {
    node->command({.service = service, .author = "user", .request_id = {}, .if_generation = {}, .body = std::move(move)},
                  [left, problem](Result<model::Applied> outcome) {
                    if (!outcome) *problem = outcome.error().message;
                    else --*left;
                  });
  }
  return stage.wait_for([&] { return *left == 0 ? "" : problem->empty() ? "no answer" : *problem; }, kPatience);
}

constexpr Verb kVerbs[] = {{"ask", ask},
                           {"create", ask_anyone},
                           {"update", ask_anyone},
                           {"scale", ask_anyone},
                           {"restart-instances", ask_anyone},
                           {"rollback", ask_anyone},
                           {"hold-rollout", ask_anyone},
                           {"resume-rollout", ask_anyone},
                           {"remove", ask_anyone},
                           {"rebalance", rebalance},
                           {"drain", drain},
                           {"activate", activate},
                           {"mark-down", mark_down},
                           {"forget", forget}};

}  // namespace

std::span<Verb const> user_verbs() { return kVerbs; }

}  // namespace davit::sim
