#include "app/host.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace davit::app {
namespace {

// A /proc of a few files.
class LoadMeterTest : public testing::Test {
 protected:
  LoadMeterTest() {
    auto name = (std::filesystem::temp_directory_path() / "davit-proc-XXXXXX").string();
    proc_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(proc_ / "pressure");
    write("stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n");
    write("loadavg", "1.50 0.70 0.10 2/300 4711\n");
    write("meminfo", "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     600 kB\n");
    write("pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.00 total=1\n");
    write("pressure/memory", "some avg10=3.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=2.00 avg60=0.00 avg300=0.00 total=1\n");
    write("pressure/io", "some avg10=9.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=5.00 avg60=0.00 avg300=0.00 total=1\n");
  }
  ~LoadMeterTest() override { std::filesystem::remove_all(proc_); }
  void write(std::string const& file, std::string const& text) { std::ofstream(proc_ / file) << text; }

  std::filesystem::path proc_;
};

TEST_F(LoadMeterTest, reads_what_the_kernel_tells) {
  ProcLoadMeter meter(proc_);
  auto const load = meter.measure();
  EXPECT_EQ(load.cpus_used, 0) << "of one reading nothing follows";
  EXPECT_EQ(load.load_1m, 1.5);
  EXPECT_EQ(load.memory_used, Bytes{400 * 1024});
  ASSERT_TRUE(load.pressure);
  EXPECT_DOUBLE_EQ(load.pressure->cpu, 0.125);
  EXPECT_DOUBLE_EQ(load.pressure->memory, 0.02);
  EXPECT_DOUBLE_EQ(load.pressure->io, 0.05);
}

TEST_F(LoadMeterTest, counts_the_busy_part_of_the_time_since_the_last_call) {
  ProcLoadMeter meter(proc_);
  meter.measure();
  write("stat", "cpu  150 10 140 900 0 0 0 0 0 0\n");
  EXPECT_DOUBLE_EQ(meter.measure().cpus_used, 0.5 * static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)));
  EXPECT_EQ(meter.measure().cpus_used, 0) << "no time has passed";
}

TEST_F(LoadMeterTest, does_without_pressure_where_the_kernel_does_not_measure_it) {
  write("pressure/memory", "");  // as with psi=0, where reading fails
  EXPECT_EQ(ProcLoadMeter(proc_).measure().pressure, std::nullopt);
  std::filesystem::remove_all(proc_ / "pressure");
  EXPECT_EQ(ProcLoadMeter(proc_).measure().pressure, std::nullopt);
}

TEST(LoadMeter, finds_this_machine_with_memory_in_use) { EXPECT_GT(ProcLoadMeter().measure().memory_used.count, 1 << 20); }

}  // namespace
}  // namespace davit::app
