#include "app/store_commands.hpp"

#include <cstdlib>

#include <fmt/core.h>

#include "adapters/store_sqlite/backup.hpp"
#include "app/data_dir.hpp"
#include "app/settings.hpp"
#include "base/units.hpp"
#include "codec/records.hpp"
#include "model/records.hpp"

namespace davit::app {
namespace {

std::optional<std::string> environment(std::string const& name) {
  auto const* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::filesystem::path data_dir(cli::Invocation const& invocation) {
  return data_dir_of(invocation.text("data-dir", environment("DAVIT_DATA_DIR").value_or("")), environment);
}

int refuse(Error const& error) {
  fmt::print(stderr, "davit: {}\n", error.message);
  return 1;
}

int run_backup(cli::Invocation const& invocation) {
  auto const report = store_sqlite::backup(store_file(data_dir(invocation)), invocation.words().at(0));
  if (!report) return refuse(report.error());
  fmt::print("{}: {} keys, {}, revision {}, verified\n", report->file.string(), report->keys, format_bytes({report->size_bytes}),
             report->revision);
  return 0;
}

// Store revisions go back with a restore, so epochs and uids must be told apart from those given out before.
Result<std::string> raise_era(std::string const& bytes) {
  TRY(auto record, codec::decode_record(model::cluster_key(), bytes));
  ++std::get<model::ClusterRecord>(record).era;
  return codec::encode_record(record);
}

int run_restore(cli::Invocation const& invocation) {
  auto const lock = DataDirLock::take(data_dir(invocation));
  if (!lock) return refuse(lock.error());
  auto const report = store_sqlite::restore(invocation.words().at(0), store_file(data_dir(invocation)),
                                            {.force = invocation.is_on("force"), .raise_era = raise_era});
  if (!report) return refuse(report.error());
  if (!report->kept_aside.empty()) fmt::print("the store that was there is kept as {}\n", report->kept_aside.string());
  fmt::print("restored {} keys at revision {}; start davit again\n", report->keys, report->revision);
  return 0;
}

}  // namespace

void add_store_commands(cli::Registry& registry) {
  cli::Option const data_dir_option{
      .name = "data-dir", .value = "DIR", .help = "of the installation (default ~/.local/share/davit, for root /var/lib/davit)"};
  registry.add_group("store", "Back up and restore the store of this machine");
  registry.add({.path = {"store", "backup"},
                .summary = "Copy the store to one verified file, while davit runs",
                .examples = {"davit store backup /backup/davit-monday.sqlite"},
                .positionals = {{"FILE"}},
                .options = {data_dir_option},
                .run = run_backup});
  registry.add({.path = {"store", "restore"},
                .summary = "Put a backup in place of the store, while davit does not run",
                .details = "The backup is verified first. A store that is there already is kept aside, and only replaced with --force.",
                .examples = {"davit store restore --force /backup/davit-monday.sqlite"},
                .positionals = {{"FILE"}},
                .options = {data_dir_option, {.name = "force", .help = "replace the store that is there"}},
                .run = run_restore});
}

}  // namespace davit::app
