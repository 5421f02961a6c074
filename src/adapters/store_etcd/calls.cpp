#include "adapters/store_etcd/calls.hpp"

#include <algorithm>
#include <vector>

namespace davit::store_etcd {
namespace {

constexpr Duration kPause = 100ms;  // after a round over all members
constexpr Duration kAuthenticationLimit = 5s;
constexpr int kMostDoublings = 4;

using enum Request::Kind;

}  // namespace

Calls::Calls(ports::Loop& loop, rpc::Client& rpc, Members& members, Options options, Listeners listeners)
    : loop_(loop),
      rpc_(rpc),
      members_(members),
      options_(std::move(options)),
      listeners_(std::move(listeners)),
      overdue_(loop.make_timer()),
      pause_(loop.make_timer()),
      is_token_wanted_(!options_.user.empty()) {}

Calls::~Calls() { *is_open_ = false; }

void Calls::add(Request request, Monotonic deadline, Finish finish) {
  add({.request = std::move(request), .deadline = deadline, .finish = std::move(finish)});
}

void Calls::add(Call call) {
  Id const id = ++last_id_;
  if (call.deadline != kNever) deadlines_.emplace(call.deadline, id);
  auto const added = calls_.emplace(id, std::move(call)).first;
  if (added->second.deadline > loop_.now().monotonic) send(id, added->second);
  arm();
}

void Calls::send(Id id, Call& call) {
  if (!may_ask() && !call.is_authentication) return authenticate();
  auto const member = members_.current();
  if (!member) return;
  call.at = member;
  call.token = token_;
  auto const limit = options_.try_limit * (1 << std::min(call.tries++, kMostDoublings));
  rpc::Call sent{.method = call.request.method,
                 .metadata = metadata(),
                 .request = call.request.body,
                 .deadline = std::min(call.deadline, loop_.now().monotonic + limit)};
  auto convert = [this, id, tried = call.tries, read = call.request.read](rpc::Outcome outcome, std::string const& reply) -> rpc::Task {
    Result<Answer> answer = outcome.is_ok() ? read(reply) : fail(Code::Unavailable, outcome.message);
    return [this, id, tried, outcome = std::move(outcome), answer = std::move(answer)]() mutable {
      on_reply(id, tried, outcome, std::move(answer));
    };
  };
  rpc_.call(*member, std::move(sent), std::move(convert));
}

void Calls::send_waiting() {
  for (auto& [id, call] : calls_)
    if (!call.at) send(id, call);
}

void Calls::send_again(Iterator call) {
  call->second.at.reset();
  if (call->second.tries % static_cast<int>(members_.count()) != 0) return send(call->first, call->second);
  if (std::exchange(is_pausing_, true)) return;
  pause_->set(loop_.now().monotonic + kPause, [this] {
    is_pausing_ = false;
    send_waiting();
  });
}

void Calls::on_reply(Id id, int tried, rpc::Outcome const& outcome, Result<Answer> answer) {
  auto const call = calls_.find(id);
  if (call == calls_.end() || call->second.tries != tried) return;
  if (!outcome.is_ok()) return on_failure(call, judge(outcome));
  if (answer) listeners_.on_revision(revision_of(*answer));
  end(call, std::move(answer));
}

void Calls::on_failure(Iterator call, Judgement judgement) {
  auto const member = *call->second.at;
  call->second.trouble = judgement.error.message;
  switch (judgement.verdict) {
    case Verdict::Final: return end(call, std::unexpected(std::move(judgement.error)));
    case Verdict::NotDone: members_.turn_from(member); break;
    case Verdict::Unknown:
      members_.turn_from(member);
      if (call->second.request.kind == Once)
        return end(call, fail(Code::UnknownOutcome, "it is not known whether it was done: " + judgement.error.message));
      call->second.may_be_done |= call->second.request.kind == Repeatable;
      break;
    case Verdict::TokenNeeded:
      if (options_.user.empty()) return end(call, std::unexpected(std::move(judgement.error)));
      if (call->second.token == token_) drop_token();
      break;
    case Verdict::NoTokens:
      is_token_wanted_ = false;
      if (call->second.is_authentication) return end(call, Answer{Token{}});
      break;
  }
  send_again(call);
}

// Posted, so that whatever it sets off (another call, the store's end) finds everything here in order.
void Calls::end(Iterator call, Result<Answer> outcome) {
  deadlines_.erase({call->second.deadline, call->first});
  loop_.post([is_open = is_open_, finish = std::move(call->second.finish), outcome = std::move(outcome)]() mutable {
    if (*is_open) finish(std::move(outcome));
  });
  calls_.erase(call);
}

void Calls::end_overdue() {
  auto const now = loop_.now().monotonic;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    auto const call = calls_.find(deadlines_.begin()->second);
    auto const& [id, state] = *call;
    if (state.at) members_.turn_from(*state.at);
    bool const may_be_done = state.may_be_done || (state.at && state.request.kind != Read);
    auto const trouble =
        state.trouble.empty() ? std::string(state.tries == 0 ? " (no member can be reached)" : "") : " (" + state.trouble + ")";
    if (may_be_done) end(call, fail(Code::UnknownOutcome, "etcd did not answer in time; it may have been done" + trouble));
    else end(call, fail(Code::Deadline, "etcd did not answer in time; nothing was done" + trouble));
  }
  arm();
}

// Calls end long before their deadlines as a rule, so the timer is only ever moved forward here, not with each of them.
void Calls::arm() {
  if (deadlines_.empty() || deadlines_.begin()->first >= armed_for_) return;
  armed_for_ = deadlines_.begin()->first;
  overdue_->set(armed_for_, [this] {
    armed_for_ = kNever;
    end_overdue();
  });
}

rpc::Metadata Calls::metadata() const {
  // A member that is cut off from the others then says so at once, and keeps nobody waiting.
  rpc::Metadata metadata{{"hasleader", "true"}};
  if (!token_.empty()) metadata.emplace_back("token", token_);
  return metadata;
}

void Calls::drop_token() {
  is_token_wanted_ = !options_.user.empty();
  token_.clear();
}

void Calls::authenticate() {
  if (std::exchange(is_authenticating_, true)) return;
  add({.request = {.method = "/etcdserverpb.Auth/Authenticate",
                   .body = write_authentication(options_.user, options_.password),
                   .kind = Read,
                   .read = &read_token},
       .deadline = loop_.now().monotonic + kAuthenticationLimit,
       .finish = [this](Result<Answer> outcome) { on_authenticated(std::move(outcome)); },
       .is_authentication = true});
}

// Without a token, those that wait for it hear why, but where more time may help: then they make it be asked for again.
void Calls::on_authenticated(Result<Answer> outcome) {
  is_authenticating_ = false;
  if (outcome) {
    token_ = std::get<Token>(*std::move(outcome)).text;
    send_waiting();
    return listeners_.on_token();
  }
  if (outcome.error().code == Code::Deadline) return send_waiting();
  std::vector<Iterator> waiting;
  for (auto call = calls_.begin(); call != calls_.end(); ++call)
    if (!call->second.at) waiting.push_back(call);
  for (auto const call : waiting) end(call, fail(Code::Unavailable, "etcd refuses the user: " + outcome.error().message));
}

}  // namespace davit::store_etcd
