#include "core/cluster/policy.hpp"

#include <charconv>

#include <fmt/core.h>

namespace davit::cluster {

using Kind = DowningPolicy::Kind;

Result<DowningPolicy> parse_downing_policy(std::string_view text) {
  if (text == "majority") return DowningPolicy{Kind::Majority};
  if (text == "never") return DowningPolicy{Kind::Never};
  if (text == "any") return DowningPolicy{Kind::Any};
  constexpr std::string_view kQuorum = "quorum:";
  if (text.starts_with(kQuorum)) {
    auto const number = text.substr(kQuorum.size());
    std::uint32_t quorum = 0;
    auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), quorum);
    if (error == std::errc{} && end == number.data() + number.size() && quorum > 0) return DowningPolicy{Kind::Quorum, quorum};
    return fail(Code::Invalid, fmt::format("\"{}\": quorum needs a number of workers from 1, as in quorum:3", text));
  }
  return fail(Code::Invalid, fmt::format("\"{}\" is no downing policy: majority, quorum:N, never or any", text));
}

std::string to_string(DowningPolicy policy) {
  switch (policy.kind) {
    case Kind::Majority: return "majority";
    case Kind::Quorum: return fmt::format("quorum:{}", policy.quorum);
    case Kind::Never: return "never";
    case Kind::Any: return "any";
  }
  return "?";
}

std::string hold_reason(DowningPolicy policy, Electorate const& electorate) {
  auto const [unreachable, workers, reachable] = electorate;
  if (unreachable == 0) return {};
  auto const hold = [&](std::string_view why) {
    return fmt::format(
        "{} of {} workers are unreachable: {} (downing policy {}). None is declared down by itself; "
        "`davit node mark-down NODE --yes` decides by hand",
        unreachable, workers, why, to_string(policy));
  };
  switch (policy.kind) {
    case Kind::Majority: return unreachable * 2 > workers ? hold("more than half") : "";
    case Kind::Quorum: return reachable < policy.quorum ? hold(fmt::format("fewer than {} are left", policy.quorum)) : "";
    case Kind::Never: return hold("the operator decides");
    case Kind::Any: return {};
  }
  return {};
}

}  // namespace davit::cluster
