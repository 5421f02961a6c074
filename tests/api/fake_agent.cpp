#include "api/fake_agent.hpp"

namespace davit::api {

void FakeAgent::join() {
  facts_.address = "10.0.0.11";
  facts_.roles = roles;
  facts_.engine = {.version = "27.1.1", .api_version = "1.46", .platform = "linux/amd64", .cpus = 8, .memory = {16LL << 30}};
  facts_.engine_up = true;
  say(model::AgentHello{facts_});
  say(model::Beat{});
}

void FakeAgent::set_engine(bool up) {
  facts_.engine_up = up;
  facts_.engine_message = up ? "" : "connection refused";
  say(model::FactsChanged{facts_});
}

void FakeAgent::set_own_labels(std::map<std::string, std::string> labels) {
  facts_.labels = std::move(labels);
  say(model::FactsChanged{facts_});
}

void FakeAgent::measure(model::InstanceUse use) {
  model::InstancesMeasured message;
  for (auto const& [id, instance] : instances_) message.some.push_back({id, instance.uid, instance.slot, use});
  say(std::move(message));
}

void FakeAgent::proceed() {
  for (auto& [id, instance] : instances_) {
    instance.state = model::InstanceState::Running;
    instance.ready = true;
    report(instance);
  }
}

void FakeAgent::send(NodeId, model::ToAgent message, Monotonic) {
  std::visit([this](auto const& each) { on(each); }, message);
}

void FakeAgent::on(model::BeatBack const& stamp) {
  next_beat_->set(loop_.now().monotonic + 500ms,
                  [this, stamp] { say(model::Beat{.load = load_, .incarnation = incarnation_, .echo = stamp.stamp}); });
}

void FakeAgent::say(model::ToMaster message) {
  loop_.post([this, message = std::move(message)] { handlers_.on_message(facts_.id, message); });
}

void FakeAgent::on(model::FenceShards const& message) {
  model::FencesStored stored{.round = message.round, .fences = message.fences, .all = {}, .asker = message.asker};
  for (auto const& [id, instance] : instances_) stored.all.push_back(instance);
  say(std::move(stored));
}

void FakeAgent::on(model::RunInstance const& order) {
  auto const [known, is_new] = instances_.try_emplace(order.id);
  auto& instance = known->second;
  if (is_new) {
    instance = {
        .id = order.id, .uid = order.uid, .service = order.service, .slot = order.slot, .revision = order.revision, .fence = order.fence};
    auto const& image = order.spec->image;
    bool const is_ok = image.starts_with("ok");
    if (is_ok) instance.state = model::InstanceState::Running;
    if (is_ok) instance.ready = true;
    if (is_ok) instance.container = {.id = "c" + std::to_string(order.slot), .name = order.service, .address = "172.17.0.3"};
    if (is_ok) instance.started_ago = 0s;
    for (auto const& port : order.spec->ports) {
      instance.ports.push_back(
          {.name = port.name, .target = static_cast<std::uint16_t>(port.target), .address = facts_.address, .published = 20'000});
    }
    if (image.starts_with("none")) {
      instance.state = model::InstanceState::Failed;
      instance.reason = model::Reason::ImageNotFound;
      instance.message = "no such image";
      instance.next_start_in = 10s;
    }
  }
  say(model::Verdict{.id = order.id, .uid = order.uid, .slot = order.slot, .admitted = true, .reason = {}, .message = {}});
  report(instance);
}

void FakeAgent::on(model::StopInstance const& order) {
  instances_.erase(order.id);
  say(model::InstanceGone{order.id, order.uid, order.slot});
}

}  // namespace davit::api
