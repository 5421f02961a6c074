// What travels between the control thread and the store thread: requests one way, answers the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "ports/store.hpp"

namespace davit::store_sqlite {

using CallId = std::uint64_t;

// One watch. The store thread reads `prefix` and `next`; `on_batch` belongs to the control thread.
struct Subscription {
  std::string prefix;
  std::int64_t next = 0;  // the first revision not delivered yet; 0: the one after the store's present
  std::function<void(ports::WatchBatch const&)> on_batch;
  std::atomic<bool> ended = false;
};

struct GrantLease {
  Duration ttl{};
};
struct RenewLease {
  std::int64_t lease = 0;
};
struct RevokeLease {
  std::int64_t lease = 0;
};
struct Compact {
  std::int64_t before_revision = 0;
};
struct ReadStatus {};
struct StartWatch {
  std::shared_ptr<Subscription> subscription;
};
using Request = std::variant<ports::Commit, ports::Range, GrantLease, RenewLease, RevokeLease, Compact, ReadStatus, StartWatch>;

struct Nothing {};
using Answer = std::variant<Nothing, ports::Committed, ports::RangeResult, ports::LeaseGranted, ports::StoreStatus>;

// When no answer comes in time: whether the request may have changed what is stored.
inline bool is_write(Request const& request) {
  return std::holds_alternative<ports::Commit>(request) || std::holds_alternative<RevokeLease>(request);
}

}  // namespace davit::store_sqlite
