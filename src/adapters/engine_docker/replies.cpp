#include "adapters/engine_docker/replies.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "adapters/engine_docker/engine_errors.hpp"

namespace davit::engine_docker {
namespace {

using codec::Value;

std::int64_t int_or_zero(Value const& value) { return value.as_int().value_or(0); }

std::string without_slash(std::string_view name) { return std::string(name.substr(name.starts_with('/') ? 1 : 0)); }

// The engine writes the year 1 for "never".
std::optional<Wall> time_of(Value const& value) {
  auto const text = value.text();
  if (text.empty() || text.starts_with("0001-")) return std::nullopt;
  auto const time = parse_rfc3339(text);
  return time ? std::optional(*time) : std::nullopt;
}

std::map<std::string, std::string> labels_of(Value const& value) {
  std::map<std::string, std::string> out;
  for (auto const& [key, label] : value.members()) out.emplace(key, label.text());
  return out;
}

model::ContainerState state_of(Value const& value) {
  return model::parse_enum<model::ContainerState>(value.text()).value_or(model::ContainerState::Created);
}

std::uint16_t port_number(std::string_view text) {
  std::uint16_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, also of a container that does not run.
std::vector<model::PublishedPort> ports_of(Value const& bindings) {
  std::vector<model::PublishedPort> out;
  for (auto const& [key, all] : bindings.members()) {
    auto const slash = key.find('/');
    model::PublishedPort port;
    port.target = port_number(std::string_view(key).substr(0, slash));
    if (slash != std::string::npos)
      port.protocol = model::parse_enum<model::Protocol>(key.substr(slash + 1)).value_or(model::Protocol::Tcp);
    for (auto const& binding : all.items()) {
      port.address = binding.at("HostIp").text().empty() ? "0.0.0.0" : std::string(binding.at("HostIp").text());
      port.published = port_number(binding.at("HostPort").text());
      out.push_back(port);
    }
  }
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) {
    return std::tie(a.target, a.protocol, a.published) < std::tie(b.target, b.protocol, b.published);
  });
  return out;
}

std::string address_of(Value const& networks) {
  for (auto const* const kind : {"IPAddress", "GlobalIPv6Address"}) {
    for (auto const& [name, network] : networks.members()) {
      if (auto const address = network.at(kind).text(); !address.empty()) return std::string(address);
    }
  }
  return {};
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kLimit = 512;  // bytes
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() <= kLimit) return std::string(text);
  auto end = kLimit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return std::string(text.substr(0, end)) + "…";
}

std::string failing_output(Value const& log) {
  auto const results = log.items();
  for (auto result = results.rbegin(); result != results.rend(); ++result) {
    if (int_or_zero(result->at("ExitCode")) != 0) return shortened(result->at("Output").text());
  }
  return {};
}

}  // namespace

model::ContainerDetail read_container(Value const& inspected) {
  auto const& state = inspected.at("State");
  auto const& health = state.at("Health");
  model::ContainerDetail out;
  out.id = inspected.at("Id").text();
  out.name = without_slash(inspected.at("Name").text());
  out.labels = labels_of(inspected.at("Config").at("Labels"));
  out.state = state_of(state.at("Status"));
  out.exit_code = int_or_zero(state.at("ExitCode"));
  out.oom_killed = state.at("OOMKilled").as_bool().value_or(false);
  if (auto const error = state.at("Error").text(); !error.empty()) out.error = clean_message(error, 0);
  out.created_at = time_of(inspected.at("Created"));
  out.started_at = time_of(state.at("StartedAt"));
  out.finished_at = time_of(state.at("FinishedAt"));
  out.health = model::parse_enum<model::Health>(health.at("Status").text()).value_or(model::Health::None);
  out.health_output = failing_output(health.at("Log"));
  // The address of the old top level is gone from new engines.
  out.address = address_of(inspected.at("NetworkSettings").at("Networks"));
  out.ports = ports_of(inspected.at("HostConfig").at("PortBindings"));
  return out;
}

model::ContainerList read_list(Value const& listed) {
  model::ContainerList out;
  for (auto const& item : listed.items()) {
    auto const names = item.at("Names").items();
    out.all.push_back({std::string(item.at("Id").text()), names.empty() ? std::string() : without_slash(names.front().text()),
                       labels_of(item.at("Labels")), state_of(item.at("State"))});
  }
  return out;
}

model::ImageDetail read_image(Value const& inspected) {
  model::ImageDetail out;
  out.id = inspected.at("Id").text();
  for (auto const& digest : inspected.at("RepoDigests").items()) out.repo_digests.emplace_back(digest.text());
  auto const test = inspected.at("Config").at("Healthcheck").at("Test").items();
  out.has_healthcheck = !test.empty() && test.front().text() != "NONE";
  return out;
}

model::ContainerStats read_stats(Value const& sample) {
  auto const& memory = sample.at("memory_stats");
  // What the page cache holds and gives back at once is no use of memory; the name differs between cgroups v1 and v2.
  auto const& v1 = memory.at("stats").at("total_inactive_file");
  auto const cache = v1.is_null() ? int_or_zero(memory.at("stats").at("inactive_file")) : int_or_zero(v1);
  auto const usage = int_or_zero(memory.at("usage"));
  return {Duration(int_or_zero(sample.at("cpu_stats").at("cpu_usage").at("total_usage"))), Bytes{cache < usage ? usage - cache : usage}};
}

model::EngineInfo read_info(Value const& version, Value const& info, ApiVersion negotiated) {
  model::EngineInfo out;
  out.version = version.at("Version").text();
  out.api_version = to_string(negotiated);
  out.platform = fmt::format("{}/{}", version.at("Os").text(), version.at("Arch").text());
  out.cpus = info.at("NCPU").as_number().value_or(0);
  out.memory = Bytes{int_or_zero(info.at("MemTotal"))};
  return out;
}

model::Created read_created(Value const& created) {
  model::Created out{std::string(created.at("Id").text()), {}};
  for (auto const& warning : created.at("Warnings").items()) out.warnings.emplace_back(warning.text());
  return out;
}

bool has_tty(Value const& inspected_container) { return inspected_container.at("Config").at("Tty").as_bool().value_or(false); }

}  // namespace davit::engine_docker
