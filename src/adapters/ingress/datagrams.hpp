// Carries the datagrams of one UDP ingress port: each client has a socket of its own to an instance, until neither has said anything for a
// minute. An instance that leaves keeps its clients for ten seconds more, as they have no end of their own. Owned by a Worker; its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/ingress/address.hpp"
#include "adapters/ingress/io_loop.hpp"
#include "adapters/ingress/route.hpp"
#include "runtime/fd.hpp"

namespace davit::ingress {

class Datagrams final : public Watched {
 public:
  static constexpr Duration kIdleLimit = std::chrono::minutes(1);
  static constexpr Duration kDrainLimit = std::chrono::seconds(10);

  Datagrams(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd socket);
  ~Datagrams() override;

  void close();  // before it goes
  void on_ready(std::uint32_t events) override;

 private:
  // Where a datagram came from, and which of this node's addresses it came to: the answer comes from there.
  struct Ends {
    Address client;
    std::string control;  // for sendmsg
    std::string key;
  };
  struct Session final : Watched {
    Session(Datagrams& its_owner, Ends its_ends) : owner(its_owner), ends(std::move(its_ends)) {}
    void on_ready(std::uint32_t) override { owner.on_answer(*this); }
    Datagrams& owner;
    Ends ends;
    runtime::Fd socket;
    std::optional<Target> target;
    std::set<InstanceId> tried;
    std::string unanswered;  // the last datagram, until the instance says something
    Monotonic last_heard{};
    Monotonic left_at = kNever;  // when its instance was seen to be gone
  };

  bool take_one();
  Session* session_of(Ends ends);
  void pass_on(Session& session, std::string_view datagram);
  bool connect(Session& session);
  void on_answer(Session& session);
  void on_refused(Session& session);
  void answer(Session const& session, std::string_view datagram) const;
  void end(std::string const& key);
  void sweep();

  IoLoop& loop_;
  std::shared_ptr<Route> route_;
  runtime::Fd socket_;
  std::vector<char> buffer_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  Timer timer_;
};

}  // namespace davit::ingress
