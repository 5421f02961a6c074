#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/core.h>

#include "cli/apply_plan.hpp"
#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/service_labels.hpp"
#include "cli/session.hpp"
#include "cli/stack_file.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

using codec::Value;

struct Planned {
  Step step;
  StackService const* service = nullptr;  // null: to be removed
  std::string etag;                       // of what stands now
};

Result<StackFile> read_file(std::string const& path) {
  if (path == "-") return read_stack(std::string(std::istreambuf_iterator<char>(std::cin), {}), "stdin");
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return fail(Code::Invalid, fmt::format("--file: {} cannot be read", path));
  return read_stack(std::string(std::istreambuf_iterator<char>(file), {}), path);
}

Call put_call(StackService const& service, std::string_view query) {
  return {.method = "PUT",
          .target = service_path(service.name, query),
          .body = service.spec,
          .place_name = [&service](std::string_view pointer) { return service.locate(pointer); }};
}

// Asks the server what it would make of the service. Changes nothing.
Result<Planned> plan_service(Session& session, StackService const& service) {
  auto const before = session.call_blocking({.target = service_path(service.name)});
  if (!before && before.error().code != Code::NotFound) return std::unexpected<Error>(before.error());
  auto call = put_call(service, "?replace=true&dry_run=true");
  auto const place_name = call.place_name;
  TRY(auto const after, session.call_blocking(std::move(call)));
  print_warnings(after.body, place_name);
  auto const spec = before ? before->body.at("spec") : Value();
  return Planned{plan_step(service.name, spec, after.body.at("spec")), &service, before ? before->etag() : ""};
}

// All of them, and all that is wrong with any: the file is taken whole or not at all.
Result<std::vector<Planned>> plan_services(Session& session, StackFile const& file) {
  std::vector<Planned> all;
  std::string refused;
  for (auto const& service : file.services) {
    auto planned = plan_service(session, service);
    if (planned) {
      all.push_back(*std::move(planned));
      continue;
    }
    if (planned.error().code != Code::Invalid || planned.error().field.empty()) return std::unexpected<Error>(planned.error());
    refused += fmt::format("{}{}: {}", refused.empty() ? "" : "\n", service.name, planned.error().message);
  }
  if (!refused.empty()) return fail(Code::Invalid, std::move(refused), "invalid_spec");
  return all;
}

Status plan_prune(Session& session, StackFile const& file, std::string_view selector, std::vector<Planned>& plan) {
  std::vector<std::string> kept;
  for (auto const& service : file.services) kept.push_back(service.name);
  TRY(auto labelled, session.list_blocking("/services"));
  TRY_VOID(keep_labelled(session, selector, labelled));
  for (auto& name : names_to_prune(labelled, kept)) plan.push_back({.step = {.service = std::move(name), .action = Step::Action::Remove}});
  return {};
}

void show(Session const& session, std::vector<Planned> const& plan) {
  if (session.wants_json()) {
    Value all{Value::Array{}};
    for (auto const& planned : plan) all.push(step_json(planned.step));
    return print_json(all);
  }
  for (auto const& planned : plan) print_out(step_text(planned.step));
}

// The server's answer to the change, which is watched afterwards.
Result<Answer> carry_out(Session& session, Planned const& planned) {
  if (planned.step.action == Step::Action::Remove) {
    TRY(auto answer, session.call_blocking({.method = "DELETE", .target = service_path(planned.step.service)}));
    if (!answer.body.as_object()) answer.body = Value::object();
    answer.body.set("name", planned.step.service);
    return answer;
  }
  auto call = put_call(*planned.service, "?replace=true");
  call.if_match = planned.etag;
  return session.call_blocking(std::move(call));
}

Result<int> carry_out_all(Session& session, Invocation const& invocation, std::vector<Planned> const& plan, Monotonic started) {
  TRY(auto const options, watch_options_of(invocation));
  std::vector<std::pair<Planned const*, Answer>> done;
  for (auto const& planned : plan) {
    if (planned.step.action == Step::Action::Keep) continue;
    TRY(auto answer, carry_out(session, planned));
    done.emplace_back(&planned, std::move(answer));
  }
  int worst = 0;
  for (auto const& [planned, answer] : done) {
    if (options.detach) break;
    bool const is_removal = planned->step.action == Step::Action::Remove;
    TRY(int const code,
        is_removal ? watch_removal(session, answer.body, options, started) : watch(session, goal_of(answer), options, started));
    worst = std::max(worst, code);
    if (code == kInterrupted) break;
  }
  return worst;
}

Result<int> apply(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  TRY_VOID(watch_options_of(invocation));
  if (!invocation.has("file")) return fail(Code::Invalid, "--file is missing: davit apply -f compose.yaml");
  if (invocation.is_on("prune") && !invocation.has("label"))
    return fail(Code::Invalid, "--prune needs --label KEY=VALUE, to say whose services the file describes");
  TRY(auto const file, read_file(invocation.text("file")));
  for (auto const& note : file.notes) print_note(note);
  TRY(auto plan, plan_services(session, file));
  if (invocation.is_on("prune")) TRY_VOID(plan_prune(session, file, invocation.text("label"), plan));
  show(session, plan);
  if (invocation.is_on("dry-run")) return 0;
  return carry_out_all(session, invocation, plan, started);
}

}  // namespace

Command apply_command() {
  Command command{.path = {"apply"},
                  .summary = "Make services what a file says: create, change, and with --prune remove.",
                  .details =
                      "The file is YAML or JSON: one service with its `name`, or a map `services` as in compose, with Davit's fields. "
                      "All of it is checked before anything is changed; what did not change is left alone.",
                  .examples = {"davit apply -f compose.yaml", "davit apply -f compose.yaml --dry-run", "davit apply -f - < web.json",
                               "davit apply -f shop.yaml --prune -l app=shop"},
                  .options = {{.name = "file", .letter = 'f', .value = "FILE", .help = "The file, or - for the standard input."},
                              {.name = "dry-run", .help = "Show what would change, and change nothing."},
                              {.name = "prune", .help = "Remove the services with --label that the file does not describe."},
                              {.name = "label", .letter = 'l', .value = "KEY=VALUE", .help = "With --prune: whose absence counts."}},
                  .calls_server = true,
                  .run = with_session(apply)};
  for (auto const& option : watch_options()) command.options.push_back(option);
  return command;
}

}  // namespace davit::cli
