// The field tables of the spec (model/field.hpp). Order here is the order in answers and in the OpenAPI document.
#pragma once

#include "model/field.hpp"
#include "model/spec.hpp"

namespace davit::model {

inline constexpr std::int64_t kMaxInstances = 100'000;
inline constexpr std::int64_t kMaxPort = 65'535;

template <>
struct Fields<PortSpec> {
  static constexpr std::string_view kName = "Port";
  static constexpr auto kAll = std::tuple{
      field("name", &PortSpec::name, {.doc = "A name for discovery.", .example = R"("http")"}),
      field("target", &PortSpec::target, {.doc = "The port inside the container.", .required = true, .min = 1, .max = kMaxPort}),
      field("published", &PortSpec::published,
            {.doc =
                 "The port on the node; absent: one is picked from the node's range for each instance. Of ingress: the port of every node.",
             .min = 1,
             .max = kMaxPort}),
      field("published_end", &PortSpec::published_end,
            {.doc = "With `published`: the last port of a range whose first free one is taken.", .min = 1, .max = kMaxPort}),
      field("protocol", &PortSpec::protocol, {.doc = "tcp, udp or sctp."}),
      field("mode", &PortSpec::mode,
            {.doc = "host: on the node that runs the instance. ingress: on every node, which carries connections to ready instances."}),
      field("host_ip", &PortSpec::host_ip, {.doc = "The node's address to listen on.", .example = R"("127.0.0.1")"}),
      field("proxy_protocol", &PortSpec::proxy_protocol,
            {.doc = "With `ingress` and tcp: each connection begins with the client's address, as PROXY protocol version 2."}),
  };
};

template <>
struct Fields<Mount> {
  static constexpr std::string_view kName = "Mount";
  static constexpr auto kAll = std::tuple{
      field("type", &Mount::type, {.doc = "volume: a named volume of the node's engine; bind: a path of the node; tmpfs: memory."}),
      field("source", &Mount::source, {.doc = "The volume's name or the node's path."}),
      field("target", &Mount::target, {.doc = "The absolute path in the container.", .required = true}),
      field("read_only", &Mount::read_only, {.doc = "Mounted read-only."}),
  };
};

template <>
struct Fields<Ulimit> {
  static constexpr std::string_view kName = "Ulimit";
  static constexpr auto kAll = std::tuple{
      field("soft", &Ulimit::soft, {.doc = "The limit that applies.", .required = true, .min = -1}),
      field("hard", &Ulimit::hard, {.doc = "The most that the process may raise it to.", .required = true, .min = -1}),
  };
};

template <>
struct Fields<HttpProbe> {
  static constexpr std::string_view kName = "HttpProbe";
  static constexpr auto kAll = std::tuple{
      field("port", &HttpProbe::port, {.doc = "The container's port.", .required = true, .min = 1, .max = kMaxPort}),
      field("path", &HttpProbe::path, {.doc = "The path that must answer 2xx or 3xx, with its query."}),
  };
};
template <>
struct Fields<TcpProbe> {
  static constexpr std::string_view kName = "TcpProbe";
  static constexpr auto kAll = std::tuple{
      field("port", &TcpProbe::port, {.doc = "The container's port that must accept.", .required = true, .min = 1, .max = kMaxPort})};
};

template <>
struct Fields<Healthcheck> {
  static constexpr std::string_view kName = "Healthcheck";
  static constexpr auto kAll = std::tuple{
      field(
          "test", &Healthcheck::test,
          {.doc =
               "The command whose exit code 0 means healthy: a string for the shell, or an array that starts with CMD, CMD-SHELL or NONE.",
           .example = R"(["CMD","wget","-qO-","http://localhost/"])"}),
      field("http", &Healthcheck::http, {.doc = "A GET request by the agent, to the container's address, in place of `test`."}),
      field("tcp", &Healthcheck::tcp, {.doc = "A connection by the agent, to the container's address, in place of `test`."}),
      field("interval", &Healthcheck::interval, {.doc = "Time between two tests.", .min = 0.001, .max = 86400}),
      field("timeout", &Healthcheck::timeout, {.doc = "Time after which a test counts as failed.", .min = 0.001, .max = 86400}),
      field("retries", &Healthcheck::retries, {.doc = "Failures in a row that make the instance unhealthy.", .min = 1, .max = 1000}),
      field("start_period", &Healthcheck::start_period,
            {.doc = "Time after the start in which failures do not count.", .min = 0, .max = 86400}),
      field("start_interval", &Healthcheck::start_interval,
            {.doc = "Time between two tests in the start period (of a `test`, by engines from 25.0 on); of `http` and `tcp` before the "
                    "first success.",
             .min = 0.001,
             .max = 86400}),
      field("disable", &Healthcheck::disable, {.doc = "Switches the image's own test off."}),
  };
};

template <>
struct Fields<ResourceSet> {
  static constexpr std::string_view kName = "ResourceSet";
  static constexpr auto kAll = std::tuple{
      field("cpus", &ResourceSet::cpus, {.doc = "Cores; 0 is none.", .min = 0, .max = 100'000, .example = "0.5"}),
      field("memory", &ResourceSet::memory, {.doc = "Bytes, or \"512m\"; 0 is none.", .example = R"("512m")"}),
  };
};
template <>
struct Fields<Resources> {
  static constexpr std::string_view kName = "Resources";
  static constexpr auto kAll = std::tuple{
      field("limits", &Resources::limits, {.doc = "What the engine lets one instance use at most."}),
      field("reservations", &Resources::reservations, {.doc = "What a node must have unreserved to admit one instance."}),
  };
};

template <>
struct Fields<RestartPolicy> {
  static constexpr std::string_view kName = "RestartPolicy";
  static constexpr auto kAll = std::tuple{
      field("condition", &RestartPolicy::condition,
            {.doc = "Which ends of a container are followed by a new start.", .change = Change::None}),
      field("delay", &RestartPolicy::delay,
            {.doc = "The first wait before a restart; doubles with each failure.", .change = Change::None, .min = 0, .max = 3600}),
      field("max_delay", &RestartPolicy::max_delay,
            {.doc = "The longest wait before a restart.", .change = Change::None, .min = 0, .max = 86400}),
      field(
          "attempts_per_node", &RestartPolicy::attempts_per_node,
          {.doc = "Failures on one node after which another node is tried; 0: never.", .change = Change::None, .min = 0, .max = 1'000'000}),
      field("window", &RestartPolicy::window,
            {.doc = "Time of running well after which earlier failures are forgotten.", .change = Change::None, .min = 0, .max = 864'000}),
  };
};

template <>
struct Fields<UpdateConfig> {
  static constexpr std::string_view kName = "UpdateConfig";
  static constexpr auto kAll = std::tuple{
      field("parallelism", &UpdateConfig::parallelism,
            {.doc = "How many instances are replaced at a time; 0: all.", .change = Change::None, .min = 0, .max = kMaxInstances}),
      field("delay", &UpdateConfig::delay, {.doc = "Time between two replacements.", .change = Change::None, .min = 0, .max = 86400}),
      field("order", &UpdateConfig::order,
            {.doc = "start-first, stop-first, or auto: start-first where no fixed host port and no writable volume stands in the way.",
             .change = Change::None}),
      field("monitor", &UpdateConfig::monitor,
            {.doc = "Time that a new instance must stay well before the next one is replaced.",
             .change = Change::None,
             .min = 0,
             .max = 86400}),
      field(
          "failure_action", &UpdateConfig::failure_action,
          {.doc = "What failed replacements lead to: rollback, pause, or continue. A rollback that fails pauses.", .change = Change::None}),
      field("max_failure_ratio", &UpdateConfig::max_failure_ratio,
            {.doc = "Share of failed instances that is borne.", .change = Change::None, .min = 0, .max = 1}),
      field("progress_deadline", &UpdateConfig::progress_deadline,
            {.doc = "Time in which each replacement must become ready.", .change = Change::None, .min = 1, .max = 86400}),
  };
};

template <>
struct Fields<Placement> {
  static constexpr std::string_view kName = "Placement";
  static constexpr auto kAll = std::tuple{
      field("constraints", &Placement::constraints,
            {.doc = "Conditions that a node must meet, in docker's grammar.",
             .change = Change::None,
             .example = R"(["node.labels.disk==ssd"])"}),
      field("preferences", &Placement::preferences,
            {.doc = "docker's form of `spread_by`; at most one.", .change = Change::None, .example = R"(["spread=node.labels.zone"])"}),
      field("max_replicas_per_node", &Placement::max_replicas_per_node,
            {.doc = "The most instances of the service on one node; 0: no limit.", .change = Change::None, .min = 0, .max = kMaxInstances}),
      field(
          "strategy", &Placement::strategy,
          {.doc = "Which of several nodes: the one with the most free (cpu, memory, load, or mix of these), the fullest (binpack), or the "
                  "one with the fewest instances (spread).",
           .change = Change::None}),
      field("spread_by", &Placement::spread_by,
            {.doc = "The node label over whose values instances are spread.", .change = Change::None, .example = R"("zone")"}),
  };
};

template <>
struct Fields<Logging> {
  static constexpr std::string_view kName = "Logging";
  static constexpr auto kAll = std::tuple{
      field("driver", &Logging::driver,
            {.doc = "The engine's log driver; empty: json-file with at most 3 files of 10 MB.", .example = R"("journald")"}),
      field("options", &Logging::options, {.doc = "Options of the log driver."}),
  };
};

template <>
struct Fields<ServiceSpec> {
  static constexpr std::string_view kName = "ServiceSpec";
  static constexpr auto kAll = std::tuple{
      field("image", &ServiceSpec::image, {.doc = "The image that instances run.", .required = true, .example = R"("nginx:1.27")"}),
      field("instances", &ServiceSpec::instances,
            {.doc = "How many instances should run.", .change = Change::InPlace, .min = 0, .max = kMaxInstances}),
      field("mode", &ServiceSpec::mode, {.doc = "replicated: `instances` containers."}),
      field("ports", &ServiceSpec::ports, {.doc = "Ports to publish on the nodes.", .example = R"([80,"8443:443"])"}),
      field("entrypoint", &ServiceSpec::entrypoint, {.doc = "Docker's ENTRYPOINT; array, or string split as by a shell."}),
      field("command", &ServiceSpec::command, {.doc = "Docker's CMD; array, or string split as by a shell."}),
      field("environment", &ServiceSpec::environment,
            {.doc = "Environment variables: object, or array of \"KEY=value\".", .example = R"({"MODE":"fast"})"}),
      field("labels", &ServiceSpec::labels, {.doc = "Labels of the service; changing them restarts nothing.", .change = Change::None}),
      field("container_labels", &ServiceSpec::container_labels, {.doc = "Labels of the containers."}),
      field("volumes", &ServiceSpec::volumes, {.doc = "Volumes and binds.", .example = R"(["data:/var/lib/data"])"}),
      field("tmpfs", &ServiceSpec::tmpfs, {.doc = "Paths that are kept in memory.", .example = R"(["/tmp"])"}),
      field("user", &ServiceSpec::user, {.doc = "User, or user:group, that the process runs as."}),
      field("working_dir", &ServiceSpec::working_dir, {.doc = "The process's working directory."}),
      field("hostname", &ServiceSpec::hostname, {.doc = "The container's host name."}),
      field("init", &ServiceSpec::init, {.doc = "Runs a small init as the first process, which passes signals on."}),
      field("tty", &ServiceSpec::tty, {.doc = "Gives the process a terminal."}),
      field("read_only", &ServiceSpec::read_only, {.doc = "Mounts the root file system read-only."}),
      field("privileged", &ServiceSpec::privileged, {.doc = "Gives the container all rights over the node."}),
      field("cap_add", &ServiceSpec::cap_add, {.doc = "Capabilities to add.", .example = R"(["NET_ADMIN"])"}),
      field("cap_drop", &ServiceSpec::cap_drop, {.doc = "Capabilities to drop."}),
      field("devices", &ServiceSpec::devices, {.doc = "Devices, as \"/dev/a[:/dev/b[:rwm]]\"."}),
      field("security_opt", &ServiceSpec::security_opt, {.doc = "Security options of the engine."}),
      field("ulimits", &ServiceSpec::ulimits, {.doc = "Limits of the process, by name.", .example = R"({"nofile":1024})"}),
      field("sysctls", &ServiceSpec::sysctls, {.doc = "Kernel parameters of the container."}),
      field("shm_size", &ServiceSpec::shm_size, {.doc = "Size of /dev/shm; 0: the engine's default."}),
      field("network_mode", &ServiceSpec::network_mode,
            {.doc = "bridge (default), host, none or the name of a network of the node's engine."}),
      field("extra_hosts", &ServiceSpec::extra_hosts, {.doc = "Lines of /etc/hosts, as \"name:address\"."}),
      field("dns", &ServiceSpec::dns, {.doc = "Name servers."}),
      field("dns_search", &ServiceSpec::dns_search, {.doc = "Search domains."}),
      field("logging", &ServiceSpec::logging, {.doc = "Where the engine writes what the process prints."}),
      field("pull_policy", &ServiceSpec::pull_policy, {.doc = "missing: pull what the node lacks; always; never.", .change = Change::None}),
      field("stop_signal", &ServiceSpec::stop_signal,
            {.doc = "The signal that asks the process to end; empty: the image's, else SIGTERM."}),
      field("stop_grace_period", &ServiceSpec::stop_grace_period,
            {.doc = "Time between the stop signal and SIGKILL.", .change = Change::None, .min = 0, .max = 86400}),
      field("healthcheck", &ServiceSpec::healthcheck,
            {.doc = "How to tell that an instance is well; absent: the image's own test, if it has one."}),
      field("resources", &ServiceSpec::resources, {.doc = "Limits and reservations of one instance."}),
      field("restart_policy", &ServiceSpec::restart_policy, {.doc = "What follows the end of a container.", .change = Change::None}),
      field("update_config", &ServiceSpec::update_config, {.doc = "How a new revision replaces the old one.", .change = Change::None}),
      field("rollback_config", &ServiceSpec::rollback_config,
            {.doc = "How a rollback replaces instances; absent: as update_config says.", .change = Change::None}),
      field("drain_delay", &ServiceSpec::drain_delay,
            {.doc = "Time between leaving discovery and the stop signal.", .change = Change::None, .min = 0, .max = 3600}),
      field("placement", &ServiceSpec::placement, {.doc = "Which nodes may run the instances.", .change = Change::None}),
      field(
          "on_isolation", &ServiceSpec::on_isolation,
          {.doc =
               "keep: a node that is cut off goes on running its instances. stop: it ends them, so that there are never two of one slot."}),
      field("stop_after", &ServiceSpec::stop_after,
            {.doc = "With `on_isolation: stop`: time after which a cut-off node stops its instances.", .min = 5, .max = 86400}),
  };
};

}  // namespace davit::model
