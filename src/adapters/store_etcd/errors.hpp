// What a failed call to etcd means: for its caller, and for whether and where it may be sent again. Pure.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "rpc/client.hpp"

namespace davit::store_etcd {

enum class Verdict : std::uint8_t {
  Final,        // an answer: another member would say the same
  NotDone,      // this member does not serve now, and has surely done nothing: another one may
  Unknown,      // it may have been done, now or later
  TokenNeeded,  // nothing was done: authenticate (again), then the same
  NoTokens,     // this etcd wants no authentication
};

struct Judgement {
  Verdict verdict = Verdict::Final;
  Error error;
};

Judgement judge(rpc::Outcome const& outcome);

}  // namespace davit::store_etcd
