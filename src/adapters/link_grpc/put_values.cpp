#include "adapters/link_grpc/wire_values.hpp"

namespace davit::link_grpc {
namespace {

void put(Epoch const& value, wire::Epoch& out) {
  out.set_era(value.era);
  out.set_revision(value.revision);
}

void put(Fence const& value, wire::Fence& out) {
  out.set_shard(value.shard.value);
  put(value.epoch, *out.mutable_epoch());
}

void put(ServiceUid const& value, wire::Uid& out) {
  out.set_era(value.era);
  out.set_revision(value.revision);
}

template <class Word>
std::string word(Word value) {
  return std::string(model::to_string(value));
}

std::int64_t count(Duration value) { return value.count(); }
std::int64_t count(Monotonic value) { return value.time_since_epoch().count(); }

// ---- to agents

void put(Wire&, model::Welcome const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_welcome();
  out.set_cluster(value.cluster.value);
  out.set_incarnation(value.incarnation);
  for (auto const& master : value.masters) {
    auto& to = *out.add_masters();
    to.set_id(master.id.value);
    to.set_address(master.address);
  }
  put(value.as_of, *out.mutable_as_of());
}

void put(Wire&, model::FenceShards const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_fence();
  out.set_round(value.round);
  for (auto const& fence : value.fences) put(fence, *out.add_fences());
  out.set_asker(value.asker.value);
}

void put(Wire& wire, model::RunInstance const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_run();
  put(value.fence, *out.mutable_fence());
  out.set_incarnation(value.incarnation);
  out.set_id(value.id.value);
  put(value.uid, *out.mutable_uid());
  out.set_service(value.service);
  out.set_slot(value.slot);
  out.set_revision(value.revision);
  out.set_spec(wire.write(value.spec));
  out.set_digest(value.digest);
  out.set_token(value.token);
  out.set_stop_after(count(value.stop_after));
}

void put(Wire&, model::StopInstance const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_stop();
  put(value.fence, *out.mutable_fence());
  out.set_id(value.id.value);
  put(value.uid, *out.mutable_uid());
  out.set_slot(value.slot);
  out.set_reason(word(value.reason));
  out.set_token(value.token);
}

void put(Wire&, model::BeatBack const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_beat_back();
  out.set_stamp(count(value.stamp));
  out.set_interval(count(value.interval));
  if (!value.grant) return;
  out.mutable_grant()->set_agent_clock(count(value.grant->agent_clock));
  out.mutable_grant()->set_incarnation(value.grant->incarnation);
}

void put(model::Endpoint const& value, wire::Endpoint& out) {
  out.set_slot(value.slot);
  out.set_node(value.node);
  out.set_address(value.address);
  out.set_port(value.port);
  out.set_target(value.target);
  out.set_name(value.name);
  out.set_protocol(word(value.protocol));
}

void put(model::ServiceChange const& value, wire::ServiceChange& out) {
  out.set_name(value.name);
  out.set_is_gone(value.is_gone);
  for (auto const& each : value.instances) {
    auto& to = *out.add_instances();
    to.set_instance(each.instance.value);
    for (auto const& endpoint : each.endpoints) put(endpoint, *to.add_endpoints());
  }
  out.set_has_ingress(value.ingress.has_value());
  if (!value.ingress) return;
  for (auto const& port : *value.ingress) {
    auto& to = *out.add_ingress();
    to.set_published(port.published);
    to.set_target(port.target);
    to.set_protocol(word(port.protocol));
    to.set_proxy_protocol(port.proxy_protocol);
  }
}

void put(Wire&, model::DirectoryChanged const& value, wire::ToAgent& message) {
  auto& out = *message.mutable_directory_changed();
  out.set_is_first(value.is_first);
  out.set_is_whole(value.is_whole);
  out.set_is_over(value.is_over);
  for (auto const& change : value.services) put(change, *out.add_services());
  for (auto const& change : value.nodes) {
    auto& to = *out.add_nodes();
    to.set_name(change.name);
    to.set_address(change.address);
  }
}

// ---- to masters

void put(model::NodeFacts const& value, wire::Facts& out) {
  out.set_id(value.id.value);
  out.set_name(value.name);
  out.set_address(value.address);
  out.set_link_port(value.link_port);
  for (auto const role : value.roles) out.add_roles(word(role));
  auto& engine = *out.mutable_engine();
  engine.set_version(value.engine.version);
  engine.set_api_version(value.engine.api_version);
  engine.set_platform(value.engine.platform);
  engine.set_cpus(value.engine.cpus);
  engine.set_memory(value.engine.memory.count);
  out.set_engine_up(value.engine_up);
  out.set_engine_message(value.engine_message);
  for (auto const& [key, text] : value.labels) {
    auto& label = *out.add_labels();
    label.set_key(key);
    label.set_value(text);
  }
}

void put(model::InstanceReport const& value, wire::InstanceReport& out) {
  out.set_id(value.id.value);
  put(value.uid, *out.mutable_uid());
  out.set_service(value.service);
  out.set_slot(value.slot);
  out.set_revision(value.revision);
  out.set_token(value.token);
  put(value.fence, *out.mutable_fence());
  out.set_state(word(value.state));
  out.set_health(word(value.health));
  out.set_ready(value.ready);
  out.set_reason(word(value.reason));
  out.set_message(value.message);
  out.set_restarts(value.restarts);
  out.set_failures(value.failures);
  if (value.exit_code) out.set_exit_code(*value.exit_code);
  out.set_container_id(value.container.id);
  out.set_container_name(value.container.name);
  out.set_container_address(value.container.address);
  out.set_previous_container(value.previous_container);
  for (auto const& port : value.ports) {
    auto& to = *out.add_ports();
    to.set_name(port.name);
    to.set_target(port.target);
    to.set_protocol(word(port.protocol));
    to.set_address(port.address);
    to.set_published(port.published);
  }
  out.set_digest(value.digest);
  out.set_created_ago(count(value.created_ago));
  out.set_state_ago(count(value.state_ago));
  out.set_ready_ago(count(value.ready_ago));
  out.set_served_for(count(value.served_for));
  out.set_was_found(value.was_found);
  if (value.started_ago) out.set_started_ago(count(*value.started_ago));
  if (value.next_start_in) out.set_next_start_in(count(*value.next_start_in));
}

void put(model::AgentHello const& value, wire::ToMaster& message) {
  put(value.facts, *message.mutable_hello()->mutable_facts());
  message.mutable_hello()->set_incarnation(value.incarnation);
}

void put(model::FencesStored const& value, wire::ToMaster& message) {
  auto& out = *message.mutable_fences_stored();
  out.set_round(value.round);
  for (auto const& fence : value.fences) put(fence, *out.add_fences());
  for (auto const& report : value.all) put(report, *out.add_all());
  out.set_asker(value.asker.value);
}

void put(model::Verdict const& value, wire::ToMaster& message) {
  auto& out = *message.mutable_verdict();
  out.set_id(value.id.value);
  put(value.uid, *out.mutable_uid());
  out.set_slot(value.slot);
  out.set_admitted(value.admitted);
  out.set_reason(word(value.reason));
  out.set_message(value.message);
}

void put(model::InstanceChanged const& value, wire::ToMaster& message) { put(value.report, *message.mutable_changed()); }

void put(model::InstanceGone const& value, wire::ToMaster& message) {
  auto& out = *message.mutable_gone();
  out.set_id(value.id.value);
  put(value.uid, *out.mutable_uid());
  out.set_slot(value.slot);
  out.set_token(value.token);
}

void put(model::Beat const& value, wire::ToMaster& message) {
  auto& out = *message.mutable_beat();
  out.set_cpus_used(value.load.cpus_used);
  out.set_load_1m(value.load.load_1m);
  out.set_memory_used(value.load.memory_used.count);
  out.set_incarnation(value.incarnation);
  out.set_agent_clock(count(value.agent_clock));
  out.set_echo(count(value.echo));
  out.set_wall_ms(value.wall.time_since_epoch().count());
  if (!value.load.pressure) return;
  auto& pressure = *out.mutable_pressure();
  pressure.set_cpu(static_cast<float>(value.load.pressure->cpu));
  pressure.set_memory(static_cast<float>(value.load.pressure->memory));
  pressure.set_io(static_cast<float>(value.load.pressure->io));
}

void put(model::FactsChanged const& value, wire::ToMaster& message) { put(value.facts, *message.mutable_facts_changed()); }

void put(model::InstancesMeasured const& value, wire::ToMaster& message) {
  auto& out = *message.mutable_measured();
  for (auto const& each : value.some) {
    auto& measured = *out.add_some();
    measured.set_id(each.id.value);
    put(each.uid, *measured.mutable_uid());
    measured.set_slot(each.slot);
    measured.set_millicores(each.use.millicores);
    measured.set_memory_kib(each.use.memory_kib);
  }
}

void put(model::FollowDirectory const& value, wire::ToMaster& message) {
  message.mutable_follow_directory()->set_is_wanted(value.is_wanted);
}

// ---- between masters

void put(Wire& wire, model::Create const& value, wire::Command& out) { out.set_create(wire.write(value.spec)); }
void put(Wire& wire, model::Replace const& value, wire::Command& out) {
  out.mutable_replace()->set_spec(wire.write(value.spec));
  out.mutable_replace()->set_create_if_absent(value.create_if_absent);
}
void put(Wire&, model::Restart const&, wire::Command& out) { out.mutable_restart(); }
void put(Wire&, model::Rollback const& value, wire::Command& out) {
  auto& to = *out.mutable_rollback();
  if (value.to_revision) to.set_to_revision(*value.to_revision);
}
void put(Wire&, model::Remove const&, wire::Command& out) { out.mutable_remove(); }
void put(Wire&, model::Pause const&, wire::Command& out) { out.mutable_pause(); }
void put(Wire&, model::Resume const&, wire::Command& out) { out.mutable_resume(); }
void put(Wire&, model::Move const& value, wire::Command& out) {
  auto& move = *out.mutable_move();
  for (auto const& target : value.targets) {
    auto& to = *move.add_targets();
    to.set_slot(target.slot);
    to.set_id(target.id.value);
    to.set_to(target.to.value);
  }
}

void put(Wire& wire, model::Command const& value, wire::Forward& message) {
  auto& out = *message.mutable_about_service();
  out.set_service(value.service);
  out.set_author(value.author);
  out.set_request_id(value.request_id);
  out.set_fingerprint(value.fingerprint);
  if (value.if_generation) out.set_if_generation(*value.if_generation);
  if (value.if_uid) put(*value.if_uid, *out.mutable_if_uid());
  std::visit([&](auto const& body) { put(wire, body, out); }, value.body);
}

void put(Wire&, model::NodeCommand const& value, wire::Forward& message) {
  auto& out = *message.mutable_about_node();
  out.set_node(value.node.value);
  for (auto const& [key, label] : value.labels) {
    auto& to = *out.add_labels();
    to.set_key(key);
    if (label) to.set_value(*label);
  }
  if (value.availability) out.set_availability(word(*value.availability));
  out.set_mark_down(value.mark_down);
  out.set_forget(value.forget);
}

void put(Wire& wire, model::Forward const& value, wire::PeerMessage& message) {
  auto& out = *message.mutable_forward();
  out.set_id(value.id);
  std::visit([&](auto const& command) { put(wire, command, out); }, value.command);
}

void put(Wire&, model::ForwardAnswered const& value, wire::PeerMessage& message) {
  auto& out = *message.mutable_forward_answered();
  out.set_id(value.id);
  out.set_is_elsewhere(value.is_elsewhere);
  if (!value.outcome) return link_grpc::put(value.outcome.error(), *out.mutable_failure());
  auto& applied = *out.mutable_applied();
  applied.set_generation(value.outcome->generation);
  applied.set_revision(value.outcome->revision);
  applied.set_store_revision(value.outcome->store_revision);
  applied.set_created(value.outcome->created);
  applied.set_replayed(value.outcome->replayed);
  applied.set_unchanged(value.outcome->unchanged);
}

void put(Wire&, model::Hears const& value, wire::PeerMessage& message) {
  auto& out = *message.mutable_hears();
  for (auto const node : value.nodes) out.add_nodes(node.value);
}

void put(Wire&, model::Subscribe const& value, wire::PeerMessage& message) {
  message.mutable_subscribe()->set_node(value.node.value);
  message.mutable_subscribe()->set_is_wanted(value.is_wanted);
}

void put(Wire&, model::RelayDropped const& value, wire::PeerMessage& message) {
  message.mutable_relay_dropped()->set_node(value.node.value);
}

void put(Wire& wire, model::RelayToAgent const& value, wire::PeerMessage& message) {
  message.mutable_relay_to_agent()->set_node(value.node.value);
  link_grpc::put(wire, value.message, *message.mutable_relay_to_agent()->mutable_message());
}

void put(Wire&, model::RelayFromAgent const& value, wire::PeerMessage& message) {
  message.mutable_relay_from_agent()->set_node(value.node.value);
  link_grpc::put(value.message, *message.mutable_relay_from_agent()->mutable_message());
}

}  // namespace

void put(Accepted const& value, wire::Accepted& out) {
  out.set_master(value.master.value);
  out.set_cluster(value.cluster.value);
  out.set_name(value.name);
}

void put(WantLogs const& value, wire::WantLogs& out) {
  out.set_id(value.id);
  out.set_container(value.query.container);
  out.set_follow(value.query.follow);
  if (value.query.tail) out.set_tail(*value.query.tail);
  if (value.query.since) out.set_since_ms(value.query.since->time_since_epoch().count());
  out.set_with_stdout(value.query.with_stdout);
  out.set_with_stderr(value.query.with_stderr);
}

void put(Error const& value, wire::Failure& out) {
  out.set_code(std::string(to_string(value.code)));
  out.set_message(value.message);
  out.set_field(value.field);
}

void put(Wire& wire, model::ToAgent const& value, wire::ToAgent& out) {
  std::visit([&](auto const& each) { put(wire, each, out); }, value);
}
void put(model::ToMaster const& value, wire::ToMaster& out) {
  std::visit([&](auto const& each) { put(each, out); }, value);
}
void put(Wire& wire, model::PeerMessage const& value, wire::PeerMessage& out) {
  std::visit([&](auto const& each) { put(wire, each, out); }, value);
}

}  // namespace davit::link_grpc
