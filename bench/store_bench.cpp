// How many journal appends the SQLite store acknowledges per second on this disk: alone, and with many in flight. Prints one line for
// each; takes the folder as argument.
#include <filesystem>

#include "adapters/store_sqlite/sqlite_store.hpp"
#include "journal_appender.hpp"

namespace davit::bench {
namespace {

bool measure(std::filesystem::path const& folder, int in_flight) {
  auto const file = folder / fmt::format("store-bench-{}.db", in_flight);
  runtime::AsioLoop loop;
  {
    auto const store = store_sqlite::SqliteStore::open(loop, file);
    if (!store) {
      fmt::print(stderr, "{}\n", store.error().message);
      return false;
    }
    measure_appends(loop, **store, in_flight);
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return true;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) {
  std::filesystem::path const folder = argc > 1 ? argv[1] : ".";
  for (int const in_flight : {1, 8, 128})
    if (!davit::bench::measure(folder, in_flight)) return EXIT_FAILURE;
}
