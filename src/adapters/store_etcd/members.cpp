#include "adapters/store_etcd/members.hpp"

namespace davit::store_etcd {

Members::Members(rpc::Client& rpc, std::vector<std::string> const& addresses, std::optional<rpc::Tls> const& tls, Listeners listeners)
    : is_connected_(addresses.size(), false),
      listeners_(std::move(listeners)) {
  for (Ix member = 0; member < addresses.size(); ++member) {
    rpc.connect(addresses[member], tls, [this, member](bool is_there) {
      is_connected_[member] = is_there;
      if (is_there) listeners_.on_joined();
      else listeners_.on_left(member);
    });
  }
}

std::optional<Members::Ix> Members::current() const {
  if (is_connected_[preferred_]) return preferred_;
  return next_after(preferred_);
}

std::optional<Members::Ix> Members::next_after(Ix member) const {
  for (std::size_t step = 1; step <= count(); ++step) {
    auto const next = (member + step) % count();
    if (is_connected_[next]) return next;
  }
  return std::nullopt;
}

void Members::turn_from(Ix member) {
  if (member == current()) preferred_ = next_after(member).value_or(member);
}

}  // namespace davit::store_etcd
