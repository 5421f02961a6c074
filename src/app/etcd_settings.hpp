// Where etcd is and how it is spoken to: the same options of `davit master` and `davit store copy`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/store_etcd/etcd_store.hpp"
#include "app/setting_reader.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "cli/command.hpp"
#include "ports/loop.hpp"

namespace davit::app {

struct EtcdSettings {
  std::vector<std::string> urls;
  std::string user;
  std::string password;
  std::filesystem::path ca;
  std::filesystem::path certificate;
  std::filesystem::path key;
  Bytes quota;  // 0: etcd's default, where it does not tell by itself
};

// Those that say how, not where.
std::vector<cli::Option> etcd_access_options();
Result<EtcdSettings> read_etcd_access(SettingReader const& reader, std::vector<std::string> urls);

Result<std::unique_ptr<store_etcd::EtcdStore>> open_etcd(ports::Loop& loop, EtcdSettings const& settings);

}  // namespace davit::app
