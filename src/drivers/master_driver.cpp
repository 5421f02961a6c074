#include "drivers/master_driver.hpp"

#include "codec/records.hpp"
#include "drivers/store_image.hpp"

namespace davit::drivers {
namespace {

constexpr Duration kStoreLimit = 10s;

ports::Compare to_port(master::Compare& compare) {
  auto const target =
      compare.target == master::Compare::Target::Version ? ports::Compare::Target::Version : ports::Compare::Target::ModRevision;
  return {std::move(compare.key), target, compare.value};
}

}  // namespace

MasterDriver::MasterDriver(Ports ports, master::Options options, Listeners listeners)
    : ports_(ports),
      listeners_(std::move(listeners)),
      master_(std::move(options)),
      inbox_(ports.loop, master_, [this](master::Actions& actions) { perform(actions); }) {}

void MasterDriver::start() {
  ports_.agents.receive([this](NodeId node, model::ToMaster message) { inbox_.post(master::FromAgent{node, std::move(message)}); },
                        [this](NodeId node) { inbox_.post(master::AgentLeft{node}); });
  inbox_.post(master::Started{});
}

void MasterDriver::command(service::Command command, ports::Done<master::Applied> done) {
  auto const id = next_command_++;
  replies_[id] = std::move(done);
  inbox_.post(master::CommandArrived{id, std::move(command)});
}

void MasterDriver::read_history(std::string const& service, ports::Done<std::vector<model::JournalEvent>> done) {
  ports_.store.range({.prefix = model::service_prefix(service) + "events/"}, ports_.loop.now().monotonic + kStoreLimit,
                     [done = std::move(done)](Result<ports::RangeResult> page) {
                       if (!page) return done(std::unexpected(page.error()));
                       std::vector<model::JournalEvent> events;
                       for (auto const& item : page->items) {
                         auto record = codec::decode_record(item.key, item.value);
                         if (!record) return done(std::unexpected(record.error()));
                         if (auto* event = std::get_if<model::EventRecord>(&*record)) events.push_back(std::move(event->event));
                       }
                       done(std::move(events));
                     });
}

void MasterDriver::perform(master::Actions& actions) {
  for (auto& action : actions) std::visit([this](auto& each) { perform(each); }, action);
}

void MasterDriver::perform(master::Load& action) {
  read_store_image(ports_.loop, ports_.store,
                   [this, op = action.op](Result<master::StoreImage> image) { inbox_.post(master::Loaded{op, std::move(image)}); });
}

void MasterDriver::perform(master::Write& action) {
  ports::Commit commit;
  for (auto& compare : action.compares) commit.compares.push_back(to_port(compare));
  for (auto const& record : action.puts) commit.operations.push_back(ports::Put{model::key_of(record), codec::encode_record(record)});
  for (auto& key : action.erases) commit.operations.push_back(ports::Erase{std::move(key)});
  ports_.store.commit(std::move(commit), ports_.loop.now().monotonic + kStoreLimit,
                      [this, op = action.op](Result<ports::Committed> committed) {
                        if (committed) inbox_.post(master::WriteDone{op, master::Written{committed->succeeded, committed->revision}});
                        else inbox_.post(master::WriteDone{op, std::unexpected(committed.error())});
                      });
}

void MasterDriver::perform(master::Send& action) { ports_.agents.send(action.node, std::move(action.message)); }

void MasterDriver::perform(master::Reply& action) {
  auto const reply = replies_.extract(action.id);
  if (reply) reply.mapped()(std::move(action.outcome));
}

void MasterDriver::perform(master::Changed& action) { listeners_.on_changed(action.what); }

void MasterDriver::perform(master::Noted& action) { listeners_.on_noted(action); }

}  // namespace davit::drivers
