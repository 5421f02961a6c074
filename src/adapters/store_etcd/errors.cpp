#include "adapters/store_etcd/errors.hpp"

#include <string_view>

namespace davit::store_etcd {
namespace {

using enum Verdict;

bool says(rpc::Outcome const& outcome, std::string_view words) { return outcome.message.find(words) != std::string::npos; }

// Said before anything is proposed to the other members.
bool is_refused_at_the_door(rpc::Outcome const& outcome) {
  for (std::string_view const words : {"etcdserver: no leader", "etcdserver: not capable", "etcdserver: too many requests",
                                       "etcdserver: rpc not supported for learner", "failed to connect to all addresses"})
    if (says(outcome, words)) return true;
  return false;
}

bool is_about_the_token(rpc::Outcome const& outcome) {
  for (std::string_view const words : {"invalid auth token", "user name is empty", "revision of auth store is old"})
    if (says(outcome, words)) return true;
  return false;
}

// By the status code; etcd's words decide only where one code stands for several things.
Judgement judge_code(rpc::Outcome const& outcome) {
  auto const as = [&](Verdict verdict, Code code) { return Judgement{verdict, {code, "etcd: " + outcome.message, {}}}; };
  switch (outcome.code) {
    case rpc::StatusCode::Ok: return as(Final, Code::Internal);
    case rpc::StatusCode::InvalidArgument: return as(Final, Code::Invalid);
    case rpc::StatusCode::NotFound: return as(Final, Code::NotFound);
    case rpc::StatusCode::AlreadyExists: return as(Final, Code::Exists);
    case rpc::StatusCode::OutOfRange: return as(Final, says(outcome, "compacted") ? Code::Stale : Code::Invalid);
    case rpc::StatusCode::ResourceExhausted: return as(Final, says(outcome, "space exceeded") ? Code::Full : Code::Exhausted);
    // For the operator to repair; the request itself may be right.
    case rpc::StatusCode::PermissionDenied:
    case rpc::StatusCode::Unauthenticated: return as(Final, Code::Unavailable);
    case rpc::StatusCode::Unimplemented: return as(Final, Code::Unsupported);
    case rpc::StatusCode::FailedPrecondition: return as(Final, Code::Internal);
    case rpc::StatusCode::Cancelled:
    case rpc::StatusCode::Unknown:
    case rpc::StatusCode::DeadlineExceeded:
    case rpc::StatusCode::Aborted:
    case rpc::StatusCode::Internal:
    case rpc::StatusCode::Unavailable:
    case rpc::StatusCode::DataLoss: return as(Unknown, Code::Unavailable);
  }
  return as(Unknown, Code::Unavailable);
}

}  // namespace

Judgement judge(rpc::Outcome const& outcome) {
  auto judgement = judge_code(outcome);
  if (is_about_the_token(outcome)) judgement = {TokenNeeded, {Code::Unavailable, "etcd: " + outcome.message, {}}};
  else if (says(outcome, "authentication is not enabled")) judgement.verdict = NoTokens;
  else if (is_refused_at_the_door(outcome)) judgement = {NotDone, {Code::Unavailable, "etcd: " + outcome.message, {}}};
  return judgement;
}

}  // namespace davit::store_etcd
