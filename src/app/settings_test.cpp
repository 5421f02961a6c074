#include "app/settings.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace davit::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class SettingsTest : public testing::Test {
 protected:
  ~SettingsTest() override { std::filesystem::remove(file_); }

  Result<Settings> read(Process process = Process::Up) {
    if (process == Process::Worker) invocation_.add("join", "127.0.0.1");
    if (process == Process::Master) invocation_.add("etcd", "http://127.0.0.1:2379"), invocation_.add("insecure", "true");
    return read_settings(process, invocation_, environment());
  }
  Environment environment() const {
    return [this](std::string const& name) -> std::optional<std::string> {
      auto const found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    };
  }
  void write_file(std::string const& text) {
    std::ofstream(file_) << text;
    invocation_.add("config", file_.string());
  }
  std::string refusal() {
    auto const settings = read();
    if (settings) return "taken";
    EXPECT_EQ(settings.error().field, "--labels");
    return settings.error().message;
  }

  cli::Invocation invocation_;
  std::map<std::string, std::string> environment_;
  std::filesystem::path file_ = std::filesystem::temp_directory_path() / ("davit-settings-" + std::to_string(::getpid()) + ".yaml");
};

TEST_F(SettingsTest, takes_labels_from_the_flag_before_the_environment_before_the_file) {
  write_file("labels: {disk: hdd}\n");
  EXPECT_THAT(read()->labels, ElementsAre(Pair("disk", "hdd")));
  environment_["DAVIT_LABELS"] = "disk=nvme";
  EXPECT_THAT(read()->labels, ElementsAre(Pair("disk", "nvme")));
  invocation_.add("labels", "disk=ssd,zone=a");
  EXPECT_THAT(read()->labels, ElementsAre(Pair("disk", "ssd"), Pair("zone", "a")));
}

TEST_F(SettingsTest, takes_labels_of_several_flags_and_without_a_value) {
  invocation_.add("labels", "disk=ssd, rack = 7");
  invocation_.add("labels", "gpu");
  EXPECT_THAT(read()->labels, ElementsAre(Pair("disk", "ssd"), Pair("gpu", ""), Pair("rack ", " 7"))) << "as docker takes them";
}

TEST_F(SettingsTest, takes_labels_from_a_list_or_a_map_of_the_file) {
  write_file("labels: [disk=ssd, zone=a=b]\n");
  EXPECT_THAT(read()->labels, ElementsAre(Pair("disk", "ssd"), Pair("zone", "a=b")));
}

TEST_F(SettingsTest, takes_numbers_and_truths_of_the_file_as_words) {
  write_file("labels: {rack: 7, spot: true, zone: \"a,b\"}\n");
  EXPECT_THAT(read()->labels, ElementsAre(Pair("rack", "7"), Pair("spot", "true"), Pair("zone", "a,b")));
}

TEST_F(SettingsTest, names_the_flag_and_what_is_wrong_with_a_label) {
  invocation_.add("labels", "=ssd");
  EXPECT_THAT(refusal(), HasSubstr("from 1 to 256 bytes"));
  invocation_ = {};
  invocation_.add("labels", "disk=ssd,disk=hdd");
  EXPECT_THAT(refusal(), HasSubstr("disk is given twice"));
  invocation_ = {};
  invocation_.add("labels", "disk=" + std::string(257, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("at most 256 bytes"));
}

TEST_F(SettingsTest, gives_labels_to_workers_only) {
  invocation_.add("labels", "disk=ssd");
  EXPECT_THAT(read(Process::Worker)->labels, ElementsAre(Pair("disk", "ssd")));
  auto const master = read(Process::Master);
  ASSERT_FALSE(master);
  EXPECT_EQ(master.error().field, "--labels");
  EXPECT_THAT(master.error().message, HasSubstr("--worker"));
  invocation_.add("worker", "true");
  EXPECT_THAT(read(Process::Master)->labels, ElementsAre(Pair("disk", "ssd")));
}

TEST_F(SettingsTest, serves_dns_at_the_bridge_unless_told_otherwise) {
  EXPECT_TRUE(read()->dns.is_on);
  EXPECT_EQ(read()->dns.domain, "davit");
  EXPECT_FALSE(read()->dns.listen);
  invocation_.add("dns-domain", "Svc.Example.org.");
  invocation_.add("dns-listen", "10.0.0.11");
  EXPECT_EQ(read()->dns.domain, "svc.example.org");
  EXPECT_EQ(to_string(*read()->dns.listen), "10.0.0.11:53");
  invocation_.add("dns-listen", "[::1]:5353");
  EXPECT_EQ(to_string(*read(Process::Worker)->dns.listen), "[::1]:5353");
  invocation_.add("dns-listen", "none");
  EXPECT_FALSE(read()->dns.is_on);
}

TEST_F(SettingsTest, refuses_what_dns_cannot_be_served_for_or_at) {
  for (auto const* const domain : {"a_b", "-a", "a..b", ".", "a b"}) {
    invocation_ = {};
    invocation_.add("dns-domain", domain);
    EXPECT_EQ(read().error().field, "--dns-domain") << domain;
  }
  for (auto const* const listen : {"off", "localhost:53", "10.0.0.1:x"}) {
    invocation_ = {};
    invocation_.add("dns-listen", listen);
    EXPECT_EQ(read().error().field, "--dns-listen") << listen;
  }
}

TEST_F(SettingsTest, takes_words_about_dns_for_workers_only) {
  invocation_.add("dns-listen", "none");
  EXPECT_EQ(read(Process::Master).error().field, "--dns-listen");
  invocation_.add("worker", "true");
  EXPECT_FALSE(read(Process::Master)->dns.is_on);
}

TEST_F(SettingsTest, has_no_labels_unless_some_are_given) { EXPECT_THAT(read()->labels, IsEmpty()); }

// ---- Consul

TEST_F(SettingsTest, leaves_etcd_and_masters_to_consul_where_they_are_not_named) {
  environment_["DAVIT_CONSUL"] = "10.0.0.1";
  environment_["DAVIT_CONSUL_TOKEN"] = "t0ken";
  auto const worker = read_settings(Process::Worker, invocation_, environment());
  ASSERT_TRUE(worker) << worker.error().message;
  EXPECT_EQ(http::to_string(worker->consul->endpoint), "http://10.0.0.1:8500");
  EXPECT_EQ(worker->consul->token, "t0ken");
  EXPECT_THAT(worker->join, IsEmpty());

  invocation_.add("insecure", "true");
  auto const master = read_settings(Process::Master, invocation_, environment());
  ASSERT_TRUE(master) << master.error().message;
  EXPECT_EQ(master->etcd_service, "etcd");
  EXPECT_THAT(master->etcd.urls, IsEmpty());
  invocation_.add("etcd", "consul:etcd-davit");
  EXPECT_EQ(read_settings(Process::Master, invocation_, environment()).value_or(Settings{}).etcd_service, "etcd-davit");
}

TEST_F(SettingsTest, takes_consul_with_tls_and_a_token_of_a_file) {
  std::ofstream(file_) << "from-a-file\n";
  invocation_.add("consul", "https://consul.example");
  invocation_.add("consul-ca", file_.string());
  invocation_.add("consul-token-file", file_.string());
  environment_["DAVIT_CONSUL_TOKEN"] = "from-the-environment";
  auto const settings = read();
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(http::to_string(settings->consul->endpoint), "https://consul.example:8501");
  EXPECT_EQ(settings->consul->ca, file_.string());
  EXPECT_EQ(settings->consul->token, "from-a-file");
}

TEST_F(SettingsTest, refuses_what_cannot_be_meant_about_consul) {
  struct Case {
    std::vector<std::pair<std::string, std::string>> given;
    std::string field;
  };
  for (auto const& [given, field] : {Case{{{"consul", "ftp://x"}}, "--consul"}, Case{{{"consul-ca", "/dev/null"}}, "--consul-ca"},
                                     Case{{{"consul", "127.0.0.1"}, {"consul-ca", "/dev/null"}}, "--consul-ca"},
                                     Case{{{"consul", "127.0.0.1"}, {"consul-token-file", "/nowhere"}}, "--consul-token-file"}}) {
    invocation_ = {};
    for (auto const& [name, value] : given) invocation_.add(name, value);
    auto const settings = read();
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().field, field) << settings.error().message;
  }
  invocation_ = {};
  invocation_.add("insecure", "true");
  invocation_.add("etcd", "consul:etcd");
  auto const without = read_settings(Process::Master, invocation_, [](std::string const&) { return std::nullopt; });
  EXPECT_THAT(without.error().message, HasSubstr("--consul"));
}

}  // namespace
}  // namespace davit::app
