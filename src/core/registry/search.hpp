// The search for a service in the registry, at the start of a process that needs it: until something of it is found, it is asked for
// again, and people are told what is waited for. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/registry/registrar.hpp"
#include "model/registry.hpp"

namespace davit::registry {

struct SearchOptions {
  std::string service;
  std::string wants;             // in words: "a master"
  bool is_of_cluster = false;    // its entries name a cluster, and only those of one cluster are of use
  std::optional<ClusterId> cluster;  // which one, if that is known
  bool has_memory = false;           // of an earlier life: then it goes on without after a few seconds
};

class Search {
 public:
  Search(SearchOptions options, Monotonic begun) : options_(std::move(options)), begun_(begun) {}

  struct Outcome {
    bool is_over = false;
    std::vector<model::RegistryEntry> found;
    Monotonic retry_at{};  // unless it is over
    std::optional<Noted> note;
  };
  Outcome on_answer(Now now, Result<model::RegistryReply> const& answer);

 private:
  bool is_what_was_meant(model::RegistryEntry const& entry) const;
  Result<std::vector<model::RegistryEntry>> judge(Result<model::RegistryReply> const& answer) const;

  SearchOptions options_;
  Monotonic begun_;
  std::string said_;
  Monotonic said_at_{};
};

}  // namespace davit::registry
