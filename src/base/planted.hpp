// Deliberate faults, by which the simulator is tested: it has to find each of them (docs/adr/0012-simulator.md). Where a rule is enforced
// stands planted(Bug::…), which is the constant false in the program that ships; only davit-sim-planted is built with DAVIT_PLANTED, and
// commits one of them at a time.
//
// To be asked in .cpp files only: of a header both builds would be in one binary.
#pragma once

#include <cstdint>
#include <optional>

namespace davit {

enum class Bug : std::uint8_t {
  // ---- agents
  ObeysOlderEpochs,
  ObeysBeforeDurable,
  AnswersBeforeList,
  ForgetsToAdopt,
  AdoptsCopies,
  AbsenceIsAnOrder,
  SilenceOfEngineIsDeath,
  IgnoresReservations,
  IgnoresMaxPerNode,
  LeaksReservations,
  ForgetsPorts,
  IgnoresIncarnation,
  KeepsGarbage,
  ReadyFromStart,
  // ---- the journal
  AppendsWithoutGrant,
  AnswersBeforeDurable,
  UnknownIsFailure,
  UnknownIsSuccess,
  IgnoresRequestIds,
  RemovalForgetsRequests,
  // ---- masters and their sessions
  TimesFromArrival,
  ActsUnfresh,
  GrantsWithoutCompares,
  DownByOneHearing,
  BeatsWithoutEcho,
  IgnoresHold,
  // ---- owners of shards
  ActsBeforeAllAnswered,
  UnansweredIsLost,
  UnansweredIsReady,
  KeepsSurplus,
  ScalesDownBlindly,
  KeepsOrphans,
  OffersOnce,
  StopsOnce,
  RefusalIsPlacement,
  // ---- slots that must not be doubled
  LeasesFromArrival,
  StartsUnguarded,
  GivesBackUnrefused,
  WaitsNotAfterDown,
  // ---- rollouts
  IgnoresFloor,
  StopsBlindly,
  PromisesTwice,
  SettlesAtOnce,
  DecidesUnwritten,
  RollbackScales,
};

#ifdef DAVIT_PLANTED
inline std::optional<Bug> planted_bug;
inline bool planted(Bug bug) { return planted_bug == bug; }
#else
consteval bool planted(Bug) { return false; }
#endif

}  // namespace davit
