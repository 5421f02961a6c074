#include "adapters/store_etcd/errors.hpp"

#include <gtest/gtest.h>

namespace davit::store_etcd {
namespace {

using rpc::StatusCode;

struct Case {
  rpc::Outcome outcome;
  Verdict verdict;
  Code code;
};

TEST(Errors, mean_what_etcd_means_by_them) {
  for (auto const& [outcome, verdict, code] : {
           Case{{StatusCode::InvalidArgument, "etcdserver: duplicate key given in txn request"}, Verdict::Final, Code::Invalid},
           Case{{StatusCode::InvalidArgument, "etcdserver: request is too large"}, Verdict::Final, Code::Invalid},
           Case{{StatusCode::NotFound, "etcdserver: requested lease not found"}, Verdict::Final, Code::NotFound},
           Case{{StatusCode::OutOfRange, "etcdserver: mvcc: required revision has been compacted"}, Verdict::Final, Code::Stale},
           Case{{StatusCode::OutOfRange, "etcdserver: mvcc: required revision is a future revision"}, Verdict::Final, Code::Invalid},
           Case{{StatusCode::ResourceExhausted, "etcdserver: mvcc: database space exceeded"}, Verdict::Final, Code::Full},
           Case{{StatusCode::PermissionDenied, "etcdserver: permission denied"}, Verdict::Final, Code::Unavailable},
           // Said before anything is proposed.
           Case{{StatusCode::Unavailable, "etcdserver: no leader"}, Verdict::NotDone, Code::Unavailable},
           Case{{StatusCode::ResourceExhausted, "etcdserver: too many requests"}, Verdict::NotDone, Code::Unavailable},
           Case{{StatusCode::Unavailable, "failed to connect to all addresses; last error: refused"}, Verdict::NotDone, Code::Unavailable},
           // May have been done, or may yet be.
           Case{{StatusCode::Unavailable, "etcdserver: request timed out"}, Verdict::Unknown, Code::Unavailable},
           Case{{StatusCode::Unavailable, "etcdserver: leader changed"}, Verdict::Unknown, Code::Unavailable},
           Case{{StatusCode::Unavailable, "Socket closed"}, Verdict::Unknown, Code::Unavailable},
           Case{{StatusCode::DeadlineExceeded, "Deadline Exceeded"}, Verdict::Unknown, Code::Unavailable},
           Case{{StatusCode::Unknown, "anything"}, Verdict::Unknown, Code::Unavailable},
           Case{{StatusCode::Unauthenticated, "etcdserver: invalid auth token"}, Verdict::TokenNeeded, Code::Unavailable},
           Case{{StatusCode::InvalidArgument, "etcdserver: user name is empty"}, Verdict::TokenNeeded, Code::Unavailable},
           Case{{StatusCode::InvalidArgument, "etcdserver: revision of auth store is old"}, Verdict::TokenNeeded, Code::Unavailable},
           Case{{StatusCode::FailedPrecondition, "etcdserver: authentication is not enabled"}, Verdict::NoTokens, Code::Internal},
       }) {
    auto const judgement = judge(outcome);
    EXPECT_EQ(judgement.verdict, verdict) << outcome.message;
    EXPECT_EQ(judgement.error.code, code) << outcome.message;
  }
}

}  // namespace
}  // namespace davit::store_etcd
