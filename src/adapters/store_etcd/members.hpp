// etcd's members as this process reaches them: which of them are connected, and which one is asked.
// Owned by the store; control thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "rpc/client.hpp"

namespace davit::store_etcd {

class Members {
 public:
  using Ix = rpc::Client::ConnectionId;
  struct Listeners {
    std::function<void()> on_joined;
    std::function<void(Ix)> on_left;
  };

  Members(rpc::Client& rpc, std::vector<std::string> const& addresses, std::optional<rpc::Tls> const& tls, Listeners listeners);

  std::size_t count() const { return is_connected_.size(); }
  // The one to ask: the preferred one, or while that is not connected the next; none while none is.
  std::optional<Ix> current() const;
  // The next connected one after this; itself where no other is.
  std::optional<Ix> next_after(Ix member) const;
  // It has failed: if it is the one to ask, the next one is preferred from now on.
  void turn_from(Ix member);

 private:
  std::vector<bool> is_connected_;
  Ix preferred_ = 0;
  Listeners listeners_;
};

}  // namespace davit::store_etcd
