#include "app/etcd_settings.hpp"

#include <utility>

#include <fmt/core.h>

namespace davit::app {

std::vector<cli::Option> etcd_access_options() {
  return {{.name = "etcd-ca", .value = "FILE", .help = "who signs etcd's certificates (default: the system's authorities)"},
          {.name = "etcd-cert", .value = "FILE", .help = "the certificate that etcd is shown"},
          {.name = "etcd-key", .value = "FILE", .help = "the key of that certificate"},
          {.name = "etcd-user", .value = "NAME", .help = "where etcd wants users"},
          {.name = "etcd-password-file", .value = "FILE", .help = "that user's password"},
          {.name = "etcd-quota",
           .value = "BYTES",
           .help = "etcd's --quota-backend-bytes, which it tells by itself from 3.6 on (default: 2GiB)"}};
}

Result<EtcdSettings> read_etcd_access(SettingReader const& reader, std::vector<std::string> urls) {
  EtcdSettings settings{.urls = std::move(urls),
                        .user = reader.text("etcd-user"),
                        .password = {},
                        .ca = reader.text("etcd-ca"),
                        .certificate = reader.text("etcd-cert"),
                        .key = reader.text("etcd-key"),
                        .quota = {}};
  TRY(settings.password, reader.content_of_file("etcd-password-file"));
  while (settings.password.ends_with('\n')) settings.password.pop_back();
  if (settings.certificate.empty() != settings.key.empty()) return bad("etcd-cert", "--etcd-cert and --etcd-key go together");
  if (settings.user.empty() && !settings.password.empty()) return bad("etcd-user", "--etcd-password-file is of a user: name him");
  if (auto const text = reader.text("etcd-quota"); !text.empty()) {
    auto const quota = parse_bytes(text);
    if (!quota || quota->count <= 0) return bad("etcd-quota", fmt::format("'{}' is no size, as in 8GiB", text));
    settings.quota = *quota;
  }
  for (auto const* file : {"etcd-ca", "etcd-cert", "etcd-key"}) TRY_VOID(reader.content_of_file(file));
  return settings;
}

Result<std::unique_ptr<store_etcd::EtcdStore>> open_etcd(ports::Loop& loop, EtcdSettings const& settings) {
  store_etcd::EtcdStore::Options options{.endpoints = settings.urls, .user = settings.user, .password = settings.password};
  if (!settings.ca.empty() || !settings.certificate.empty()) {
    options.tls = store_etcd::EtcdStore::Tls{settings.ca, settings.certificate, settings.key};
  }
  if (settings.quota.count > 0) options.quota_bytes = settings.quota.count;
  return store_etcd::EtcdStore::open(loop, std::move(options));
}

}  // namespace davit::app
