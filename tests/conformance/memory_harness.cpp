#include "conformance/store_harness.hpp"
#include "sim/memory_store.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::conformance {
namespace {

class MemoryHarness final : public StoreHarness {
 public:
  ports::Store& store() override { return store_; }
  ports::Loop& loop() override { return loop_; }
  bool run_until(std::function<bool()> const& condition) override { return loop_.run_until(condition, kPatience); }

 private:
  sim::VirtualLoop loop_;
  sim::MemoryStore store_{loop_};
};

}  // namespace

std::unique_ptr<StoreHarness> make_memory_harness() { return std::make_unique<MemoryHarness>(); }

}  // namespace davit::conformance
