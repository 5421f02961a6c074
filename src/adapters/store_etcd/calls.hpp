// Calls to etcd on their way: each goes to the member that is asked now, and to the next one as often as may be until its deadline.
// What may be sent again is its kind's; what may have been done in between is said as Code::UnknownOutcome. Control thread.
//
//   a member serves not now, and has done nothing:   the next member at once, the whole round again after a pause
//   the try's outcome is unknown:                    Once: ends so; others: the next member
//   no answer within the try's limit:                the same; the limit doubles with each try
//   no member is connected:                          waits
//   the token is missing or not valid (any more):    waits for a new one
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "adapters/store_etcd/errors.hpp"
#include "adapters/store_etcd/members.hpp"
#include "adapters/store_etcd/messages.hpp"
#include "ports/loop.hpp"

namespace davit::store_etcd {

struct Request {
  enum class Kind : std::uint8_t {
    Read,
    Repeatable,  // a write that does no more when it is done twice
    Once,
  };
  std::string method;
  std::string body;
  Kind kind = Kind::Read;
  Result<Answer> (*read)(std::string_view) = nullptr;  // runs on gRPC's thread
};

class Calls {
 public:
  struct Options {
    std::string user;  // "": no authentication
    std::string password;
    Duration try_limit{};
  };
  struct Listeners {
    std::function<void(std::int64_t revision)> on_revision;  // an answer shows that the store is at least there
    std::function<void()> on_token;                          // may_ask() has become true
  };
  // Runs on the control thread, never inside add(), never after the Calls have gone.
  using Finish = std::function<void(Result<Answer>)>;

  Calls(ports::Loop& loop, rpc::Client& rpc, Members& members, Options options, Listeners listeners);
  ~Calls();
  Calls(Calls const&) = delete;
  Calls& operator=(Calls const&) = delete;

  void add(Request request, Monotonic deadline, Finish finish);
  void on_member_joined() { send_waiting(); }

  // What every call carries. Without a token that is wanted there is no use in asking: on_token tells when there is.
  rpc::Metadata metadata() const;
  bool may_ask() const { return !is_token_wanted_ || !token_.empty(); }
  void authenticate();  // unless that is being done
  void drop_token();

 private:
  using Id = std::uint64_t;
  struct Call {
    Request request;
    Monotonic deadline;
    Finish finish;
    bool is_authentication = false;
    std::optional<Members::Ix> at;  // none: waits
    std::string token;              // that it went with
    int tries = 0;
    bool may_be_done = false;
    std::string trouble;  // of the last try
  };
  using Iterator = std::map<Id, Call>::iterator;

  void add(Call call);
  void send(Id id, Call& call);
  void send_waiting();
  void send_again(Iterator call);
  void on_reply(Id id, int tried, rpc::Outcome const& outcome, Result<Answer> answer);
  void on_failure(Iterator call, Judgement judgement);
  void end(Iterator call, Result<Answer> outcome);
  void end_overdue();
  void arm();
  void on_authenticated(Result<Answer> outcome);

  ports::Loop& loop_;
  rpc::Client& rpc_;
  Members& members_;
  Options options_;
  Listeners listeners_;
  std::map<Id, Call> calls_;
  std::set<std::pair<Monotonic, Id>> deadlines_;
  Id last_id_ = 0;
  Monotonic armed_for_ = kNever;
  std::unique_ptr<ports::Timer> overdue_;
  std::unique_ptr<ports::Timer> pause_;
  bool is_pausing_ = false;
  bool is_token_wanted_ = false;
  bool is_authenticating_ = false;
  std::string token_;
  std::shared_ptr<bool> is_open_ = std::make_shared<bool>(true);
};

}  // namespace davit::store_etcd
