#include "cli/watch.hpp"

#include <csignal>
#include <memory>

#include <fmt/core.h>

#include "cli/event_stream.hpp"
#include "cli/screen.hpp"
#include "cli/spec_flags.hpp"
#include "codec/json.hpp"
#include "http/url.hpp"

namespace davit::cli {
namespace {

using codec::Value;

constexpr Duration kPollInterval = 1s;      // what events do not tell: elapsed time, and a lost stream
constexpr Duration kLostFor = 30s;
constexpr Duration kEventPause = 100ms;     // a burst of events is one look

std::string path_of(std::string const& service) { return "/services/" + http::percent_encode(service); }

std::string seconds_between(Monotonic from, Monotonic to) {
  return fmt::format("{:.1f} s", std::chrono::duration<double>(to - from).count());
}

// Follows the service's events beside the polling. Ctrl-C is caught for good: after it the process only ends.
class Watcher {
 public:
  Watcher(Session& session, std::string const& service, Duration timeout)
      : session_(session),
        give_up_(session.now().monotonic + timeout),
        signs_(std::make_shared<Signs>()) {
    session_.loop().on_signals({SIGINT}, [signs = signs_](int) { signs->interrupted = true; });
    auto const target = "/events?service=" + http::percent_encode(service);
    runtime::spawn(session_.gate(), "events of " + service, async_listen(&session_, target, signs_));
  }

  bool is_interrupted() const { return signs_->interrupted; }
  bool is_over() const { return is_interrupted() || session_.now().monotonic >= give_up_; }
  Monotonic give_up() const { return give_up_; }
  void wait_blocking(Monotonic latest) {
    auto const now = session_.now().monotonic;
    session_.wait_blocking([&] { return is_interrupted(); }, std::min(latest, now + kEventPause));
    session_.wait_blocking([&] { return is_interrupted() || signs_->has_news; }, std::min(latest, now + kPollInterval));
    signs_->has_news = false;
  }

 private:
  struct Signs {
    bool interrupted = false;
    bool has_news = false;
  };

  // Without events the polling has to do.
  static boost::asio::awaitable<void> async_listen(Session* session, std::string target, std::shared_ptr<Signs> signs) {
    auto const on_event = [signs](ServerEvent const&) { signs->has_news = true; };
    static_cast<void>(co_await async_follow_events(session, std::move(target), on_event, [](Error const&) {}));
  }

  Session& session_;
  Monotonic give_up_;
  std::shared_ptr<Signs> signs_;
};

// A server that is lost while one waits may be back in a moment; what was asked of it goes on.
Result<Answer> look_again_blocking(Session& session, Watcher& watcher, std::string const& service) {
  auto const give_up = std::min(session.now().monotonic + kLostFor, watcher.give_up());
  bool is_told = false;
  for (;;) {
    auto answer = session.call_blocking({.target = path_of(service)});
    bool const is_lost = !answer && exit_code(answer.error()) == kUnreachable;
    if (!is_lost || watcher.is_interrupted()) return answer;
    if (session.now().monotonic >= give_up) {
      auto error = answer.error();
      error.message += fmt::format("; the change was accepted: davit service ps {} tells how far it is", service);
      return std::unexpected(std::move(error));
    }
    if (!std::exchange(is_told, true)) print_note("the server does not answer; trying again");
    session.wait_blocking([&] { return watcher.is_interrupted(); }, session.now().monotonic + kPollInterval);
  }
}

int report_interrupt(std::string const& service) {
  print_note(fmt::format("stopped watching; {} goes on: davit service ps {}", service, service));
  return kInterrupted;
}

int report_failure(Goal const& goal, WatchOptions const& options, Look const& look) {
  auto const why = look.message.empty() ? std::string() : ": " + look.message;
  if (look.verdict == Verdict::Failed) print_note(fmt::format("{}: {}{}", goal.service, look.count, why));
  else
    print_note(fmt::format("{}: {} after {}{}; it goes on: davit service ps {}", goal.service, look.count, format_duration(options.timeout),
                           why, goal.service));
  return kNotConverged;
}

}  // namespace

std::vector<Option> watch_options() {
  return {{.name = "detach", .letter = 'd', .help = "Return once the request is accepted."},
          {.name = "quiet", .letter = 'q', .help = "Wait, and show no progress."},
          {.name = "timeout", .value = "TIME", .help = "Give up waiting after this time (5m): exit code 3."}};
}

Result<WatchOptions> watch_options_of(Invocation const& invocation) {
  WatchOptions options{.detach = invocation.is_on("detach"), .quiet = invocation.is_on("quiet") || invocation.text("output") == "json"};
  if (!invocation.has("timeout")) return options;
  auto const timeout = parse_duration(invocation.text("timeout"));
  if (!timeout) return fail(Code::Invalid, "--timeout: " + timeout.error().message);
  options.timeout = *timeout;
  return options;
}

// The time-out is for becoming ready: whoever is ready by then may still prove that it lasts.
Result<int> watch(Session& session, Goal const& goal, WatchOptions const& options, Monotonic started) {
  Watcher watcher(session, goal.service, options.timeout);
  Settling settling;
  Screen screen;
  for (;;) {
    TRY(auto const answer, look_again_blocking(session, watcher, goal.service));
    auto const look = look_at(goal, answer.body, session.now().wall);
    if (!options.quiet) screen.show(look.slots);
    auto const verdict = settling.judge(look, session.now().monotonic);
    if (verdict == Verdict::Converged) {
      auto const ready_in = seconds_between(started, settling.since());
      if (options.quiet) return kConverged;
      print_out(fmt::format("{}: {} in {} (generation {})\n", goal.service, look.count, ready_in, look.generation));
      for (auto const& url : ingress_urls_of(answer.body))
        print_out(fmt::format("{}: {}, and the same port of every other worker\n", goal.service, url));
      return kConverged;
    }
    if (watcher.is_interrupted()) return report_interrupt(goal.service);
    if (verdict == Verdict::Failed || (watcher.is_over() && !settling.is_under_way())) return report_failure(goal, options, look);
    watcher.wait_blocking(settling.is_under_way() ? settling.ends_at() : watcher.give_up());
    if (watcher.is_interrupted()) return report_interrupt(goal.service);
  }
}

Result<int> watch_removal(Session& session, Value const& removed, WatchOptions const& options, Monotonic started) {
  std::string const name(removed.at("name").text());
  Watcher watcher(session, name, options.timeout);
  Screen screen;
  for (;;) {
    auto const answer = session.call_blocking({.target = path_of(name)});
    bool const is_gone = answer ? !(answer->body.at("uid") == removed.at("uid")) : answer.error().code == Code::NotFound;
    if (is_gone) break;
    if (!answer) return std::unexpected<Error>(answer.error());
    auto slots = look_at(goal_of(answer->body), answer->body, session.now().wall).slots;
    if (!options.quiet) screen.show(slots);
    if (!watcher.is_over()) watcher.wait_blocking(watcher.give_up());
    if (watcher.is_interrupted()) return report_interrupt(name);
    if (!watcher.is_over()) continue;
    print_note(fmt::format("{}: not gone after {}; it goes on: davit service ps {}", name, format_duration(options.timeout), name));
    return kNotConverged;
  }
  if (!options.quiet) print_out(fmt::format("{}: removed in {}\n", name, seconds_between(started, session.now().monotonic)));
  return 0;
}

Goal goal_of(Answer const& answer, bool is_rollback) {
  auto goal = goal_of(answer.body, is_rollback);
  auto const written = codec::parse_json(answer.headers.get("Davit-Service-Revision"));
  if (written && written->as_int()) goal.revision = *written->as_int();
  return goal;
}

Result<int> finish_change(Session& session, Invocation const& invocation, Answer const& answer, Monotonic started, bool is_rollback) {
  TRY(auto const options, watch_options_of(invocation));
  print_warnings(answer.body, flag_of_pointer);
  auto const goal = goal_of(answer, is_rollback);
  if (options.detach) {
    if (session.wants_json()) print_json(answer.body);
    else print_out(goal.service + "\n");
    return 0;
  }
  TRY(int const code, watch(session, goal, options, started));
  if (!session.wants_json()) return code;
  TRY(auto const end, session.call_blocking({.target = path_of(goal.service)}));
  print_json(end.body);
  return code;
}

}  // namespace davit::cli
