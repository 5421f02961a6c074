// Journals as their owners write them (protocol.md §2), with one append of each in flight: what gets no answer is sent again, the same,
// until it succeeds or a compare fails, and then the event's tag decides whether the first try came through.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::conformance {

class JournalWriter {
 public:
  JournalWriter(ports::Loop& loop, ports::Store& store, int journals);

  void start();
  void finish() { is_finishing_ = true; }  // after the appends in flight
  bool is_idle() const { return in_flight_ == 0; }

  std::int64_t acknowledged() const { return acknowledged_; }
  std::int64_t unknown() const { return unknown_; }    // answers that left the outcome open
  std::int64_t resolved() const { return resolved_; }  // appends that turned out to have come through all the same
  std::int64_t newest_revision() const { return newest_revision_; }
  std::vector<std::string> const& faults() const { return faults_; }
  // What a range over everything must give now, as "key=value@version".
  std::vector<std::string> expected() const;

 private:
  struct Journal {
    std::string root;
    std::int64_t events = 0;
  };
  void append(Journal& journal);
  void on_appended(Journal& journal, Result<ports::Committed> const& answer);
  void look(Journal& journal);
  void on_looked(Journal& journal, Result<ports::RangeResult> const& found);
  void on_done(Journal& journal, std::int64_t revision);

  ports::Loop& loop_;
  ports::Store& store_;
  std::vector<Journal> journals_;
  int in_flight_ = 0;
  bool is_finishing_ = false;
  std::int64_t acknowledged_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t resolved_ = 0;
  std::int64_t newest_revision_ = 0;
  std::vector<std::string> faults_;
};

}  // namespace davit::conformance
