// Rule: the store holds what the journal says (design.md §12.10), and nobody writes what is not his (protocol.md §2, §4).
// - head n = apply(head n-1, event n), at every append; every append compares the shard's grant and the head's version;
// - a request id leads to one event at most (§12.1), and is remembered beyond the service's removal;
// - a rollback takes the template back, not the number of instances;
// - slots that must not be doubled are written under the shard's grant;
// - nodes, shards and suspects are written only under a compare of the coordinator's key.
// It keeps what is in the store by now, for other rules, the workload and the final check.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/records.hpp"
#include "sim/observer.hpp"
#include "sim/rules/findings.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class JournalRule final : public Observer {
 public:
  JournalRule(VirtualLoop const& loop, Findings& findings) : loop_(loop), findings_(findings) {}

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;

  struct Grant {
    std::int64_t revision = 0;
    Monotonic at{};
    NodeId owner;
  };
  struct Done {
    std::string service;
    std::uint64_t generation = 0;
  };
  std::map<std::string, model::Head> const& heads() const { return heads_; }
  std::map<NodeId, model::NodeRecord> const& nodes() const { return nodes_; }
  std::vector<Grant> const& grants(ShardId shard) const { return grants_[shard.value]; }  // oldest first
  Grant const* find_grant(Fence fence) const;
  Done const* find_request(std::string const& id) const;
  model::EventRecord const* appended() const { return appended_ ? &*appended_ : nullptr; }  // by the last commit
  std::int64_t revision_at(Monotonic at) const;  // of the newest commit by then

 private:
  void check_append(ports::Commit const& commit, model::EventRecord const& event, model::HeadRecord const* record, std::int64_t revision);
  void check_decision(model::Head const& before, model::JournalEvent const& event, model::Head const& after);
  void check_compares(ports::Commit const& commit, model::Record const& record);
  void on_request(model::JournalEvent const& event, model::Head const& head);

  VirtualLoop const& loop_;
  Findings& findings_;
  std::map<std::string, model::Head> heads_;
  std::map<std::string, std::vector<model::RequestMemo>> gone_;
  std::map<std::string, Done> requests_;
  std::map<NodeId, model::NodeRecord> nodes_;
  std::map<std::string, NodeId> sessions_;  // whose they are or were
  std::array<std::vector<Grant>, kShards> grants_;
  std::vector<std::pair<Monotonic, std::int64_t>> commits_;
  std::optional<model::EventRecord> appended_;
};

}  // namespace davit::sim
