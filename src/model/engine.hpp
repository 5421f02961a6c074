// What the agent asks of a container engine and what the engine answers: plain values, no engine's own JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "model/enum_names.hpp"
#include "model/spec.hpp"

namespace davit::model {

enum class ContainerState : std::uint8_t { Created, Running, Paused, Restarting, Removing, Exited, Dead };
DAVIT_ENUM_NAMES(ContainerState, {ContainerState::Created, "created"}, {ContainerState::Running, "running"},
                 {ContainerState::Paused, "paused"}, {ContainerState::Restarting, "restarting"}, {ContainerState::Removing, "removing"},
                 {ContainerState::Exited, "exited"}, {ContainerState::Dead, "dead"});

enum class Health : std::uint8_t { None, Starting, Healthy, Unhealthy };
DAVIT_ENUM_NAMES(Health, {Health::None, "none"}, {Health::Starting, "starting"}, {Health::Healthy, "healthy"},
                 {Health::Unhealthy, "unhealthy"});

// One port of one instance, as it is bound on the node.
struct PublishedPort {
  std::string name;
  std::uint16_t target = 0;
  Protocol protocol = Protocol::Tcp;
  std::string address;  // what to connect to; when binding: the host_ip
  std::uint16_t published = 0;
  friend bool operator==(PublishedPort const&, PublishedPort const&) = default;
};

// A line of the engine's list; enough to know whose the container is and whether an inspection is worth it.
struct ContainerSummary {
  std::string id;
  std::string name;  // without the leading "/"
  std::map<std::string, std::string> labels;
  ContainerState state = ContainerState::Created;
  friend bool operator==(ContainerSummary const&, ContainerSummary const&) = default;
};

struct ContainerDetail {
  std::string id;
  std::string name;
  std::map<std::string, std::string> labels;
  ContainerState state = ContainerState::Created;
  std::int64_t exit_code = 0;
  bool oom_killed = false;
  std::string error;  // why the last start failed
  std::optional<Wall> created_at;
  std::optional<Wall> started_at;
  std::optional<Wall> finished_at;
  Health health = Health::None;
  std::string health_output;  // what the last failing test printed, shortened
  std::string address;        // in its first network
  std::vector<PublishedPort> ports;  // from its configuration, so also of a stopped container; names are empty
  friend bool operator==(ContainerDetail const&, ContainerDetail const&) = default;
};

struct InspectImage {
  std::string reference;
  friend bool operator==(InspectImage const&, InspectImage const&) = default;
};
// To the end of the engine's stream; progress comes as EngineHint. Credentials are the adapter's business.
struct PullImage {
  std::string reference;
  friend bool operator==(PullImage const&, PullImage const&) = default;
};
struct CreateContainer {
  std::string name;
  std::string image;  // what to run; may carry a digest where spec->image has a tag
  SpecRef spec;
  std::map<std::string, std::string> labels;       // Davit's own, besides the spec's container_labels
  std::map<std::string, std::string> environment;  // Davit's own, besides the spec's
  std::vector<PublishedPort> ports;                // each with the port to bind
  friend bool operator==(CreateContainer const&, CreateContainer const&) = default;
};
struct StartContainer {
  std::string id;
  friend bool operator==(StartContainer const&, StartContainer const&) = default;
};
// The signal is the one that the container was created with. Answered after the container has ended.
struct StopContainer {
  std::string id;
  Duration grace{};
  friend bool operator==(StopContainer const&, StopContainer const&) = default;
};
struct KillContainer {
  std::string id;
  friend bool operator==(KillContainer const&, KillContainer const&) = default;
};
// With its anonymous volumes; running or not.
struct RemoveContainer {
  std::string id;
  friend bool operator==(RemoveContainer const&, RemoveContainer const&) = default;
};
struct InspectContainer {
  std::string id_or_name;
  friend bool operator==(InspectContainer const&, InspectContainer const&) = default;
};
// All containers, running or not, that carry every one of the labels.
struct ListContainers {
  std::map<std::string, std::string> labels;
  friend bool operator==(ListContainers const&, ListContainers const&) = default;
};
// Cumulated use of one container since its start.
struct ReadStats {
  std::string id;
  friend bool operator==(ReadStats const&, ReadStats const&) = default;
};
struct ReadEngineInfo {
  friend bool operator==(ReadEngineInfo const&, ReadEngineInfo const&) = default;
};

using EngineCall = std::variant<InspectImage, PullImage, CreateContainer, StartContainer, StopContainer, KillContainer, RemoveContainer,
                                InspectContainer, ListContainers, ReadStats, ReadEngineInfo>;

struct ImageDetail {
  std::string id;
  std::vector<std::string> repo_digests;  // "name@sha256:…"; empty for an image that came from no registry
  bool has_healthcheck = false;
  friend bool operator==(ImageDetail const&, ImageDetail const&) = default;
};
struct Pulled {
  std::string digest;  // "sha256:…", or empty where the engine does not say
  friend bool operator==(Pulled const&, Pulled const&) = default;
};
struct Created {
  std::string id;
  std::vector<std::string> warnings;
  friend bool operator==(Created const&, Created const&) = default;
};
struct Acknowledged {
  friend bool operator==(Acknowledged const&, Acknowledged const&) = default;
};
struct ContainerList {
  std::vector<ContainerSummary> all;
  friend bool operator==(ContainerList const&, ContainerList const&) = default;
};
struct ContainerStats {
  Duration cpu_time{};
  Bytes memory;
  friend bool operator==(ContainerStats const&, ContainerStats const&) = default;
};
struct EngineInfo {
  std::string version;      // "27.1.1"
  std::string api_version;  // negotiated
  std::string platform;     // "linux/amd64"
  double cpus = 0;
  Bytes memory;
  friend bool operator==(EngineInfo const&, EngineInfo const&) = default;
};

using EngineReply = std::variant<ImageDetail, Pulled, Created, Acknowledged, ContainerDetail, ContainerList, ContainerStats, EngineInfo>;

// Why an engine refused, where the agent reacts differently. Goes in Error::field of the engine port's errors.
namespace engine_error {
inline constexpr std::string_view kNoSuchImage = "no_such_image";  // create, inspect: not on this node; pull: not in the registry
inline constexpr std::string_view kRegistryAuth = "registry_auth";  // the registry wants other credentials
inline constexpr std::string_view kRegistry = "registry";  // the registry did not answer, or failed
inline constexpr std::string_view kNoSuchContainer = "no_such_container";
inline constexpr std::string_view kNameInUse = "name_in_use";  // create
inline constexpr std::string_view kPortInUse = "port_in_use";  // start
inline constexpr std::string_view kBadConfig = "bad_config";  // create or start: this spec can never run here
inline constexpr std::string_view kEngineAway = "engine_away";  // no connection to the engine: nothing is known
}  // namespace engine_error

// A wake-up, never the truth: what is true is asked by list and inspect.
struct ContainerTouched {
  std::string id;
};
// A container with Davit's labels was created, of the cluster that its label names: perhaps by a process that is no more.
struct ContainerAppeared {
  std::string id;
  std::string cluster;
};
struct PullProgress {
  std::string reference;
  std::int64_t done_bytes = 0;
  std::int64_t total_bytes = 0;
};
struct EngineUp {};  // connected (again): everything may have changed
struct EngineDown {
  std::string message;
};
using EngineHint = std::variant<ContainerTouched, ContainerAppeared, PullProgress, EngineUp, EngineDown>;

}  // namespace davit::model
