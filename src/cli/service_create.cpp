#include "cli/commands.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "cli/spec_flags.hpp"
#include "cli/watch.hpp"

namespace davit::cli {
namespace {

Result<codec::Value> spec_of(Invocation const& invocation) {
  auto spec = codec::Value::object({{"image", invocation.words().front()}});
  TRY_VOID(apply_flags(invocation, spec));
  auto const& words = invocation.words();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (i == 1) spec.set("command", codec::Value::Array{});
    spec.as_object()->find("command")->push(words[i]);
  }
  return spec;
}

Result<int> create(Session& session, Invocation const& invocation) {
  auto const started = session.now().monotonic;
  auto const name = invocation.text("name");
  if (name.empty()) return fail(Code::Invalid, "--name is missing: davit service create --name web … IMAGE");
  TRY_VOID(watch_options_of(invocation));
  TRY(auto spec, spec_of(invocation));
  bool const is_dry = invocation.is_on("dry-run");
  TRY(auto const answer, session.call_blocking({.method = "POST",
                                                .target = service_path(name, is_dry ? "?dry_run=true" : ""),
                                                .body = std::move(spec),
                                                .place_name = flag_of_pointer}));
  if (!is_dry) return finish_change(session, invocation, answer, started);
  print_warnings(answer.body, flag_of_pointer);
  print_json(answer.body);
  return 0;
}

}  // namespace

Command service_create_command() {
  Command command{
      .path = {"service", "create"},
      .summary = "Create a service and wait until its instances are ready.",
      .details =
          "Words after IMAGE are the container's command. With `-p 80` each instance gets a port of its own on its node; "
          "`-p 8080:80` takes exactly 8080, which leaves room for one instance per node. With `-p 8080:80 --ingress` every node "
          "listens on 8080 and carries connections to ready instances anywhere.",
      .examples =
          {"davit service create --name web --instances 3 -p 80 nginx:1.27",
           "davit service create --name shop --instances 3 -p 8080:80 --ingress nginx:1.27",
           "davit service create --name db -p 5432 -e POSTGRES_PASSWORD=x -v data:/var/lib/postgresql/data postgres:16",
           "davit service create --name worker --instances 5 --limit-memory 256m busybox:1.36 sh -c 'while sleep 5; do date; done'"},
      .positionals = {{.name = "IMAGE"}, {.name = "COMMAND", .is_required = false, .is_repeated = true}},
      .options = {{.name = "name", .value = "NAME", .help = "The service's name: a to z, 0 to 9, '-' and '_'."}},
      .takes_command = true,
      .calls_server = true,
      .run = with_session(create)};
  for (auto const& option : spec_options(false)) command.options.push_back(option);
  for (auto const& option : watch_options()) command.options.push_back(option);
  command.options.push_back({.name = "dry-run", .help = "Show what would be created, and change nothing."});
  return command;
}

}  // namespace davit::cli
