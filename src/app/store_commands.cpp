#include "app/store_commands.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "adapters/store_sqlite/backup.hpp"
#include "adapters/store_sqlite/sqlite_store.hpp"
#include "app/data_dir.hpp"
#include "app/environment.hpp"
#include "app/etcd_settings.hpp"
#include "app/settings.hpp"
#include "app/store_copy.hpp"
#include "base/units.hpp"
#include "codec/records.hpp"
#include "model/records.hpp"

namespace davit::app {
namespace {

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

// ---- from one machine to a cluster

constexpr std::string_view kFrom = "sqlite:";
constexpr std::string_view kTo = "etcd:";

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) {
    auto const comma = std::min(text.find(','), text.size());
    if (comma > 0) all.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return all;
}

void show_progress(std::size_t keys, std::size_t all) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r{} of {} keys{}", keys, all, keys == all ? "\n" : "");
}

// A store that goes on elsewhere must not be started here again.
Status put_aside(std::filesystem::path const& file, std::filesystem::path const& aside) {
  std::error_code error;
  std::filesystem::rename(file, aside, error);
  if (error) return fail(Code::Unavailable, fmt::format("{} cannot be renamed: {}", file.string(), error.message()));
  int const folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const is_durable = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!is_durable) return fail(Code::Unavailable, fmt::format("{} cannot be flushed to its disk", file.parent_path().string()));
  return {};
}

Result<int> copy(cli::Invocation const& invocation) {
  auto const& from = invocation.words().at(0);
  auto const& to = invocation.words().at(1);
  if (!from.starts_with(kFrom) || !to.starts_with(kTo)) {
    return fail(Code::Invalid, "a copy goes from one machine's store into etcd: davit store copy sqlite:DIR etcd:URL[,URL]");
  }
  auto const folder = data_dir_of(from.substr(kFrom.size()), environment);
  auto const file = store_file(folder);
  auto const aside = copied_store_file(folder);
  if (std::filesystem::exists(aside)) return fail(Code::Exists, fmt::format("{} is there already, from an earlier copy", aside.string()));
  if (!std::filesystem::exists(file)) return fail(Code::NotFound, fmt::format("there is no store {}", file.string()));
  TRY(auto const reader, SettingReader::open(invocation, environment, etcd_access_options()));
  TRY(auto const settings, read_etcd_access(reader, split(std::string_view(to).substr(kTo.size()))));
  TRY(auto const lock, DataDirLock::take(folder));
  runtime::AsioLoop loop;
  TRY(auto const source, store_sqlite::SqliteStore::open(loop, file));
  TRY(auto const target, open_etcd(loop, settings));
  auto const report = copy_store(loop, *source, *target, show_progress);
  source->stop();
  target->stop();
  if (!report) return std::unexpected(report.error());
  TRY_VOID(put_aside(file, aside));
  fmt::print("{} {} keys, {} of them services, of cluster {} into {}; era {}\n", report->was_there ? "an earlier copy had taken" : "copied",
             report->keys, report->services, to_string(report->cluster), fmt::join(settings.urls, ","), report->era);
  fmt::print("the store that was copied is kept as {}\n\n", aside.string());
  fmt::print(
      "This machine goes on with its containers as one of the cluster's, under the --node name that it had:\n"
      "  davit master --worker --etcd {} --data-dir {}\n",
      fmt::join(settings.urls, ","), folder.string());
  return 0;
}

int run_copy(cli::Invocation const& invocation) {
  auto const outcome = copy(invocation);
  if (outcome) return *outcome;
  auto const& field = outcome.error().field;
  return refuse(
      {outcome.error().code, field.empty() ? outcome.error().message : fmt::format("{}: {}", field, outcome.error().message), {}});
}

}  // namespace

void add_store_commands(cli::Registry& registry) {
  cli::Option const data_dir_option{
      .name = "data-dir", .value = "DIR", .help = "of the installation (default ~/.local/share/davit, for root /var/lib/davit)"};
  registry.add_group("store", "Back up, restore and move the store of this machine");
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
  registry.add({.path = {"store", "copy"},
                .summary = "Take this machine's services into a cluster: its store into etcd, while davit does not run",
                .details =
                    "Containers run on meanwhile. Started with the same data directory as a master and worker of the cluster, davit adopts "
                    "them; none restarts. Only an etcd without a cluster takes the copy. The store that was copied is kept aside.",
                .examples = {"davit store copy sqlite:/var/lib/davit etcd:http://10.0.0.1:2379,http://10.0.0.2:2379"},
                .positionals = {{"sqlite:DIR"}, {"etcd:URL[,URL]"}},
                .options = etcd_access_options(),
                .run = run_copy});
}

}  // namespace davit::app
