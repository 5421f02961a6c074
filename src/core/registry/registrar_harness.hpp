// A Registrar on virtual time, with a registry that keeps what it is told, and can be away, refuse, lie and forget.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/registry/registrar.hpp"

namespace davit::registry {

inline model::RegistryEntry entry(std::string const& id, std::uint16_t port = 20000) {
  return {.id = "davit-" + id, .service = "web", .address = "10.0.0.1", .port = port, .tags = {"davit"}, .meta = {{"slot", "1"}}};
}

class RegistrarTest : public testing::Test {
 protected:
  struct Sent {
    OpId op;
    model::RegistryCall what;
    Monotonic answer_at;
    bool is_late = false;
  };

  void start() { registrar_.emplace(mark_), under_way_.clear(); }

  void step(Event const& event) {
    Actions actions;
    registrar_->step(now_, event, actions);
    for (auto const& action : actions) {
      if (auto const* noted = std::get_if<Noted>(&action)) notes_.push_back(noted->text);
      else if (auto const* call = std::get_if<Call>(&action)) send(*call);
    }
    most_under_way_ = std::max(most_under_way_, under_way_.size());
  }
  void send(Call const& call) {
    auto const busy = std::ranges::count_if(under_way_, [](auto const& each) { return !each.is_late; });
    bool const is_late = static_cast<std::size_t>(busy) >= bears_at_once_;
    under_way_.push_back({call.op, call.what, is_late ? call.deadline : now_.monotonic + latency_, is_late});
  }
  void want(std::string const& holder, std::vector<model::RegistryEntry> entries) { step(Wanted{holder, std::move(entries)}); }

  // Events in the order of their times, until the time has come.
  void pass(Duration time) {
    for (auto const end = now_.monotonic + time;;) {
      auto next = under_way_.begin();
      for (auto each = under_way_.begin(); each != under_way_.end(); ++each) {
        if (each->answer_at < next->answer_at) next = each;
      }
      auto const answer_at = next == under_way_.end() ? kNever : next->answer_at;
      auto const at = std::min(answer_at, std::max(registrar_->wake_at(), now_.monotonic));
      if (at > end) {
        now_.monotonic = end;
        return;
      }
      ASSERT_LT(++steps_, 2'000'000) << "it does not come to rest";
      now_.monotonic = at;
      if (at != answer_at) {
        step(Tick{});
        continue;
      }
      auto const sent = *next;
      under_way_.erase(next);
      auto outcome = answer(sent.what);
      if (sent.is_late) outcome = fail(Code::UnknownOutcome, "Consul at x does not answer in time");
      step(CallDone{sent.op, std::move(outcome)});
    }
  }

  using Reply = Result<model::RegistryReply>;
  Reply answer(model::RegistryCall const& call) {
    ++calls_;
    if (!is_there_) return fail(Code::Unavailable, "Consul at x does not answer: refused");
    return std::visit([this](auto const& each) { return on(each); }, call);
  }
  Reply on(model::ListEntries const&) {
    model::RegistryEntries list;
    if (is_liar_) return list;
    for (auto const& [id, each] : entries_) list.all.push_back(each);
    return list;
  }
  Reply on(model::RegisterEntry const& call) {
    if (refuses_) return fail(Code::Invalid, "Consul refuses it: Permission denied");
    if (broken_.contains(call.entry.id)) return fail(Code::Internal, "Consul at x answers with 500: broken");
    registered_at_.push_back(now_.monotonic);
    entries_[call.entry.id] = call.entry;
    entries_[call.entry.id].check.reset();
    fed_[call.entry.id] = now_.monotonic;
    return model::RegistryDone{};
  }
  Reply on(model::DeregisterEntry const& call) {
    if (broken_.contains(call.id)) return fail(Code::Internal, "Consul at x answers with 500: broken");
    removed_.push_back(call.id);
    if (entries_.erase(call.id) == 0) return fail(Code::NotFound, "Unknown service");
    return model::RegistryDone{};
  }
  Reply on(model::FeedEntry const& call) {
    if (broken_.contains(call.id)) return fail(Code::Internal, "Consul at x answers with 500: broken");
    if (!entries_.contains(call.id)) return fail(Code::NotFound, "Unknown check");
    longest_hunger_ = std::max(longest_hunger_, now_.monotonic - fed_[call.id]);
    fed_[call.id] = now_.monotonic;
    return model::RegistryDone{};
  }
  template <class Other>
  Reply on(Other const&) {
    ADD_FAILURE() << "not a registrar's call";
    return model::RegistryDone{};
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (auto const& [id, each] : entries_) all.push_back(id);
    return all;
  }

  Now now_{.monotonic = Monotonic{} + 1000s, .wall = {}};
  Duration latency_ = 1ms;
  std::size_t bears_at_once_ = 1000;  // what is asked beyond it waits for too long
  model::RegistryMark mark_{.cluster = {9}, .node = {5}, .kind = "instance"};
  std::optional<Registrar> registrar_ = Registrar(mark_);
  std::vector<Sent> under_way_;
  std::size_t most_under_way_ = 0;
  std::map<std::string, model::RegistryEntry> entries_;
  std::map<std::string, Monotonic> fed_;
  Duration longest_hunger_{};
  std::vector<Monotonic> registered_at_;
  std::vector<std::string> removed_;
  std::vector<std::string> notes_;
  bool is_there_ = true;
  bool is_liar_ = false;
  bool refuses_ = false;
  std::set<std::string> broken_;  // ids of which it knows nothing but that something is wrong
  int calls_ = 0;
  int steps_ = 0;
};

}  // namespace davit::registry
