#include "sim/planted/bugs.hpp"

#include <algorithm>

namespace davit::sim {
namespace {

constexpr Planted kAll[] = {
    {Bug::ObeysOlderEpochs, "obeys-older-epochs", "an agent obeys a master whose shard another one has fenced"},
    {Bug::ObeysBeforeDurable, "obeys-before-durable", "an agent answers a fence before the epoch is on its disk"},
    {Bug::AnswersBeforeList, "answers-before-list", "an agent answers a fence before its first list of containers is complete"},
    {Bug::ForgetsToAdopt, "forgets-to-adopt", "a restarted agent does not take its containers up again"},
    {Bug::AdoptsCopies, "adopts-copies", "an agent takes a container for its own that has only copied labels"},
    {Bug::AbsenceIsAnOrder, "absence-is-an-order", "a restarted agent stops what no master has confirmed"},
    {Bug::SilenceOfEngineIsDeath, "silence-of-engine-is-death", "a container counts as gone when the engine fails to answer"},
    {Bug::IgnoresReservations, "ignores-reservations", "an agent admits beyond its node's cores and memory"},
    {Bug::IgnoresMaxPerNode, "ignores-max-per-node", "an agent admits more instances of a service than may run on a node"},
    {Bug::LeaksReservations, "leaks-reservations", "what an instance had reserved stays taken after its end"},
    {Bug::ForgetsPorts, "forgets-ports", "the ports of adopted containers count as free"},
    {Bug::IgnoresIncarnation, "ignores-incarnation", "an agent admits what was offered to an earlier life of its node"},
    {Bug::KeepsGarbage, "keeps-garbage", "containers of earlier attempts are not removed"},
    {Bug::ReadyFromStart, "ready-from-start", "an instance counts as ready since its container started, not since it is healthy"},
    {Bug::AppendsWithoutGrant, "appends-without-grant", "an append does not compare the shard's grant"},
    {Bug::AnswersBeforeDurable, "answers-before-durable", "a user is answered before the event is in the store"},
    {Bug::UnknownIsFailure, "unknown-is-failure", "a write without an answer counts as not done"},
    {Bug::UnknownIsSuccess, "unknown-is-success", "a write without an answer counts as done"},
    {Bug::IgnoresRequestIds, "ignores-request-ids", "a repeated request is carried out again"},
    {Bug::RemovalForgetsRequests, "removal-forgets-requests", "what was done for a removed service is not remembered"},
    {Bug::TimesFromArrival, "times-from-arrival", "session and view count from the store's answer, not from the question"},
    {Bug::ActsUnfresh, "acts-unfresh", "a master commands by a view of unknown age"},
    {Bug::GrantsWithoutCompares, "grants-without-compares", "the coordinator grants shards without comparing anything"},
    {Bug::DownByOneHearing, "down-by-one-hearing", "a node is declared down though another live master hears it"},
    {Bug::BeatsWithoutEcho, "beats-without-echo", "a beat counts although its agent does not hear the master"},
    {Bug::IgnoresHold, "ignores-hold", "nodes are declared down though most are unreachable"},
    {Bug::ActsBeforeAllAnswered, "acts-before-all-answered", "a new owner places before the agents have answered its fence"},
    {Bug::UnansweredIsLost, "unanswered-is-lost", "the instances of an agent that disconnects count as lost"},
    {Bug::UnansweredIsReady, "unanswered-is-ready", "what was last known of an agent that has not answered counts as seen"},
    {Bug::KeepsSurplus, "keeps-surplus", "of several instances in one slot all stay"},
    {Bug::ScalesDownBlindly, "scales-down-blindly", "scaling down stops what serves for certain while nobody knows of the slots that stay"},
    {Bug::KeepsOrphans, "keeps-orphans", "instances of a removed service stay"},
    {Bug::OffersOnce, "offers-once", "an offer without an answer is not repeated"},
    {Bug::StopsOnce, "stops-once", "a stop without an effect is not repeated"},
    {Bug::RefusalIsPlacement, "refusal-is-placement", "a refused offer counts as accepted"},
    {Bug::LeasesFromArrival, "leases-from-arrival", "a lease counts from the grant's arrival, not from the beat that it answers"},
    {Bug::StartsUnguarded, "starts-unguarded", "a leased container starts before its guard knows of it"},
    {Bug::GivesBackUnrefused, "gives-back-unrefused", "an agent gives a slot back before it refuses the slot's token for good"},
    {Bug::WaitsNotAfterDown, "waits-not-after-down", "a slot is free as soon as its node is down"},
    {Bug::IgnoresFloor, "ignores-floor", "a rollout stops more instances than the service can do without"},
    {Bug::StopsBlindly, "stops-blindly", "a rollout that stops first stops what nothing can follow"},
    {Bug::PromisesTwice, "promises-twice", "a rollout that stops first counts on the same room for several that it stops"},
    {Bug::SettlesAtOnce, "settles-at-once", "a new instance is not watched for `monitor` before the rollout goes on"},
    {Bug::DecidesUnwritten, "decides-unwritten", "what an owner decides about a rollout is not journalled"},
    {Bug::RollbackScales, "rollback-scales", "a rollback takes the number of instances along"},
};

}  // namespace

std::span<Planted const> all_planted() { return kAll; }

Planted const* find_planted(std::string_view name) {
  auto const* const found = std::ranges::find(kAll, name, &Planted::name);
  return found == std::end(kAll) ? nullptr : found;
}

}  // namespace davit::sim
