// What users are answered in words that mean more than their code.
#pragma once

#include <string_view>

namespace davit::master {

// To a command that was passed on to a master which has not answered in time: that one may still carry it out.
inline constexpr std::string_view kDeciderSilent =
    "the master that decides this has not answered; the change may be made all the same: look, or repeat it with its Idempotency-Key";

// To one whose event the store was asked to write, and has not said whether it did: it is asked again until it has.
inline constexpr std::string_view kStoreSilent =
    "the store has not said whether the change is written, and is asked on; repeat it with its Idempotency-Key, or look";

}  // namespace davit::master
