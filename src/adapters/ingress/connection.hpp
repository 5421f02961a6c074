// One TCP connection that is carried: first it finds an instance that takes it, then bytes go both ways through pipes, until each side has
// ended or one has failed. Owned by a Worker; its thread.
//
//   Seeking ─an instance accepts─→ Carrying ─both sides have ended, or one has failed─→ Over
//   Seeking ─nobody has accepted in kSeekFor─→ Over
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "adapters/ingress/address.hpp"
#include "adapters/ingress/io_loop.hpp"
#include "adapters/ingress/route.hpp"
#include "runtime/fd.hpp"

namespace davit::ingress {

class Connection final : public Mortal {
 public:
  // A client waits so long where nobody is ready, as while the one instance restarts: then it is reset.
  static constexpr Duration kSeekFor = std::chrono::seconds(3);
  static constexpr Duration kConnectLimit = std::chrono::seconds(1);
  static constexpr Duration kSeekAgain = std::chrono::milliseconds(50);

  // Has entered the route, which it leaves. `on_over` is called once, also inside of begin().
  Connection(IoLoop& loop, std::shared_ptr<Route> route, runtime::Fd client, Address const& client_address, std::function<void()> on_over);
  ~Connection() override;

  void begin() { seek(); }

 private:
  enum class State : std::uint8_t { Seeking, Carrying, Over };
  struct Side final : Watched {
    explicit Side(Connection& its_owner) : owner(its_owner) {}
    void on_ready(std::uint32_t events) override { owner.on_ready(*this, events); }
    Connection& owner;
    runtime::Fd socket;
    bool is_readable = false;  // as far as is known
    bool is_writable = false;
  };
  struct Way {
    Side& from;
    Side& to;
    std::optional<Pipe> pipe{};
    std::size_t in_pipe = 0;
    bool has_moved = false;  // a single byte
    bool has_ended = false;  // `from` has, and `to` was told
  };
  enum class Step : std::uint8_t { Moved, Blocked, Failed };

  void seek();
  bool try_backend();  // false: it refuses at once
  void on_refused();
  void on_connected();
  void on_ready(Side& side, std::uint32_t events);
  void carry();
  Step move(Way& way, std::size_t& budget);
  Step fill(Way& way);
  Step empty(Way& way);
  void on_backend_ended();
  void release_backend();
  void end(bool with_reset);

  IoLoop& loop_;
  std::shared_ptr<Route> route_;
  Address client_address_;
  std::function<void()> on_over_;
  State state_ = State::Seeking;
  Side client_{*this};
  std::unique_ptr<Side> backend_ = std::make_unique<Side>(*this);  // another one for each try
  std::optional<Target> target_;  // whose connection it counts as
  std::set<InstanceId> tried_;
  Monotonic give_up_at_;
  Timer timer_;
  std::optional<Way> to_backend_;
  std::optional<Way> to_client_;
  bool is_to_go_on_ = false;
};

}  // namespace davit::ingress
