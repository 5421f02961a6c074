#include "app/consul_bootstrap.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "app/data_dir.hpp"
#include "app/host.hpp"
#include "app/log_notes.hpp"
#include "app/master_entry.hpp"
#include "app/replace_file.hpp"
#include "base/loopback.hpp"
#include "core/registry/search.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {
namespace {

constexpr Duration kCallLimit = 5s;

// None: what is remembered has to do.
std::vector<model::RegistryEntry> search(registry_consul::ConsulAddress const& address, registry::SearchOptions const& options) {
  runtime::AsioLoop loop;
  registry_consul::ConsulRegistry consul(loop, address);
  registry::Search search(options, loop.now().monotonic);
  registry::Search::Outcome outcome;
  while (!outcome.is_over) {
    loop.run_until([] { return false; }, outcome.retry_at - loop.now().monotonic);
    auto const answer = std::make_shared<std::optional<Result<model::RegistryReply>>>();  // it may come after the time, or never
    consul.call(model::FindService{options.service}, loop.now().monotonic + kCallLimit,
                [answer](Result<model::RegistryReply> outcome) { *answer = std::move(outcome); });
    loop.run_until([&] { return answer->has_value(); }, kCallLimit + 1s);
    outcome = search.on_answer(loop.now(), answer->value_or(fail(Code::Deadline, "Consul does not answer in time")));
    if (outcome.note) log_note("consul", *outcome.note);
  }
  consul.stop();
  while (!consul.is_stopped()) loop.run_until([&consul] { return consul.is_stopped(); }, kCallLimit);  // a look-up of a name may take long
  return outcome.found;
}

std::string address_of(model::RegistryEntry const& entry) { return to_string(HostPort{entry.address, entry.port}); }

// etcd's members as they were found last.
std::filesystem::path members_file(Settings const& settings) { return settings.data_dir / "etcd-members"; }

}  // namespace

Status find_etcd_by_consul(Settings& settings) {
  if (settings.etcd_service.empty()) return {};
  auto const file = members_file(settings);
  auto const found = search(
      *settings.consul, {.service = settings.etcd_service, .wants = "etcd", .cluster = {}, .has_memory = std::filesystem::exists(file)});
  bool const is_secure = !settings.etcd.ca.empty() || !settings.etcd.certificate.empty();
  auto& urls = settings.etcd.urls;
  std::string lines;
  for (auto const& entry : found) urls.push_back(fmt::format("{}://{}", is_secure ? "https" : "http", address_of(entry)));
  std::ranges::sort(urls);
  for (auto const& url : urls) lines += url + "\n";
  if (!urls.empty()) return replace_file(file, lines);
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) urls.push_back(std::move(line));
  return {};
}

Status find_masters_by_consul(Settings& settings) {
  if (!settings.join.empty() || !settings.consul) return {};
  TRY(auto const state, load_agent_state(settings.data_dir));
  registry::SearchOptions const options{.service = std::string(kMasterService),
                                        .wants = "a master",
                                        .is_of_cluster = true,
                                        .cluster = state ? state->cluster : std::nullopt,
                                        .has_memory = std::filesystem::exists(settings.data_dir / "masters")};
  for (auto const& entry : search(*settings.consul, options)) {
    bool const is_of_this_machine = is_loopback(entry.address) && is_loopback(settings.advertise);
    if (!settings.link_tls && !settings.is_insecure && !is_of_this_machine) {
      return bad("consul",
                 fmt::format("it names a master at {}, which is on the network, and whoever speaks there commands this host: give "
                             "certificates with --link-ca, --link-cert and --link-key, or --insecure to go without",
                             address_of(entry)));
    }
    settings.join.push_back({entry.address, entry.port});
  }
  return {};
}

}  // namespace davit::app
