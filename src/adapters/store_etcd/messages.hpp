// Between the values of ports/store.hpp and the bytes that etcd's API sends (proto/etcd/): pure functions, any thread.
// Reading fails as Code::Internal where the bytes are not what they should be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ports/store.hpp"

namespace davit::store_etcd {

struct Applied {
  std::int64_t revision = 0;
};
struct MemberStatus {
  ports::StoreStatus store;  // quota 0: this etcd does not tell
  std::string version;
};
struct Token {
  std::string text;
};
using Answer = std::variant<Applied, ports::Committed, ports::RangeResult, ports::LeaseGranted, MemberStatus, Token>;

// The store's revision as the answer shows it; 0 where it shows none.
std::int64_t revision_of(Answer const& answer);

std::string write_txn(ports::Commit const& commit);
std::string write_range(ports::Range const& range);
std::string write_grant(Duration ttl);
std::string write_keep_alive(std::int64_t lease);
std::string write_revoke(std::int64_t lease);
std::string write_compaction(std::int64_t revision);
std::string write_authentication(std::string const& user, std::string const& password);
std::string write_watch(std::string const& prefix, std::int64_t from);
std::string write_progress_request();

Result<Answer> read_committed(std::string_view bytes);
Result<Answer> read_range(std::string_view bytes);
Result<Answer> read_granted(std::string_view bytes);
Result<Answer> read_kept_alive(std::string_view bytes);  // Code::NotFound: the lease has ended
Result<Answer> read_revoked(std::string_view bytes);
Result<Answer> read_compacted(std::string_view bytes);
Result<Answer> read_status(std::string_view bytes);
Result<Answer> read_token(std::string_view bytes);

struct WatchMessage {
  std::int64_t revision = 0;  // of the store as this member has it; without batches, what the watch has reached
  bool created = false;
  bool cancelled = false;
  std::int64_t compacted_before = 0;  // not 0: the changes before it are gone, and the watch wanted some of them
  std::string reason;                 // why it was cancelled
  std::vector<ports::WatchBatch> batches;
};
Result<WatchMessage> read_watch(std::string_view bytes);

// The first key after all that begin with the prefix; one zero byte where there is no such key: so etcd says "no end".
std::string end_of(std::string prefix);

}  // namespace davit::store_etcd
