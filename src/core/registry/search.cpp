#include "core/registry/search.hpp"

#include <set>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace davit::registry {
namespace {

constexpr Duration kRetry = 1s;
constexpr Duration kPatience = 5s;
constexpr Duration kSayAgain = 5min;

std::string cluster_of(model::RegistryEntry const& entry) {
  auto const found = entry.meta.find(std::string(model::registry_meta::kCluster));
  return found == entry.meta.end() ? std::string() : found->second;
}

// A service of Davit's users may have any name, also "etcd" or, with its underscores mapped, "davit-master".
constexpr std::string_view kInstance = "instance";

}  // namespace

// Who looks for masters wants what masters have registered; who looks for etcd anything but instances.
bool Search::is_what_was_meant(model::RegistryEntry const& entry) const {
  auto const found = entry.meta.find(std::string(model::registry_meta::kKind));
  auto const kind = found == entry.meta.end() ? std::string_view() : std::string_view(found->second);
  return options_.is_of_cluster ? kind == "master" : kind != kInstance;
}

Search::Outcome Search::on_answer(Now now, Result<model::RegistryReply> const& answer) {
  auto found = judge(answer);
  if (found) return {.is_over = true, .found = *std::move(found)};
  Outcome outcome{.found = {}, .retry_at = now.monotonic + kRetry};
  outcome.is_over = options_.has_memory && outcome.retry_at >= begun_ + kPatience;
  auto const& text = found.error().message;
  if (text == said_ && now.monotonic < said_at_ + kSayAgain) return outcome;
  said_ = text;
  said_at_ = now.monotonic;
  outcome.note = Noted{true, fmt::format("waiting for {}: {}", options_.wants, text)};
  return outcome;
}

Result<std::vector<model::RegistryEntry>> Search::judge(Result<model::RegistryReply> const& answer) const {
  if (!answer) return std::unexpected(answer.error());
  auto const* entries = std::get_if<model::RegistryEntries>(&*answer);
  std::vector<model::RegistryEntry> of_use;
  std::set<std::string> clusters;
  for (auto const& entry : entries ? entries->all : std::vector<model::RegistryEntry>()) {
    if (!is_what_was_meant(entry)) continue;
    if (options_.cluster && cluster_of(entry) != to_string(*options_.cluster)) continue;
    clusters.insert(cluster_of(entry));
    of_use.push_back(entry);
  }
  if (options_.is_of_cluster && clusters.size() > 1) {
    return fail(Code::Invalid,
                fmt::format("Consul knows {} of several clusters ({}); say which one by addresses of its masters, with --join",
                            options_.service, fmt::join(clusters, ", ")));
  }
  if (!of_use.empty()) return of_use;
  auto const of_which = options_.cluster ? fmt::format(" of cluster {}", to_string(*options_.cluster)) : std::string();
  return fail(Code::NotFound, fmt::format("Consul has no passing service {}{}", options_.service, of_which));
}

}  // namespace davit::registry
