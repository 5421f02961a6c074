#include "core/master/port_claims.hpp"

#include <gmock/gmock.h>

#include "core/master/endpoints.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

using model::PortMode;
using model::PortSpec;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::ServiceSpec with(std::vector<PortSpec> ports) {
  model::ServiceSpec spec;
  spec.ports = std::move(ports);
  return spec;
}
PortSpec ingress(std::int64_t published, std::int64_t target = 80) {
  return {.target = target, .published = published, .mode = PortMode::Ingress};
}
PortSpec fixed(std::int64_t published) { return {.target = 80, .published = published}; }

TEST(PortClaims, refuse_an_ingress_port_that_another_service_has) {
  PortClaims claims;
  claims.put("a", {1, 5}, with({ingress(8080)}));
  auto const refused = claims.check("b", {}, with({{.target = 1}, ingress(8080)}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Invalid);
  EXPECT_EQ(refused.error().field, "#/ports/1/published");
  EXPECT_THAT(refused.error().message, HasSubstr("8080/tcp is service 'a'"));
  EXPECT_FALSE(claims.check("b", {}, with({fixed(8080)})));
  EXPECT_TRUE(claims.check("b", {}, with({ingress(8081)})));
  EXPECT_TRUE(claims.check("b", {}, with({{.target = 8080}})));
  auto udp = ingress(8080);
  udp.protocol = model::Protocol::Udp;
  EXPECT_TRUE(claims.check("b", {}, with({udp})));
  auto range = fixed(8080);
  range.published_end = 8090;
  EXPECT_TRUE(claims.check("b", {}, with({range}))) << "another one of the range is taken";
}

TEST(PortClaims, refuse_an_ingress_port_where_a_service_has_fixed_it_on_its_nodes) {
  PortClaims claims;
  claims.put("a", {1, 5}, with({fixed(8080)}));
  EXPECT_THAT(claims.check("b", {}, with({ingress(8080)})).error().message, HasSubstr("on the nodes that run it"));
  EXPECT_TRUE(claims.check("b", {}, with({fixed(8080)}))) << "they take different nodes";
}

TEST(PortClaims, leave_a_service_what_it_has) {
  PortClaims claims;
  claims.put("a", {1, 5}, with({ingress(8080)}));
  claims.put("b", {1, 6}, with({ingress(8080)}));  // by a master that had not seen it
  EXPECT_TRUE(claims.check("b", {1, 6}, with({ingress(8080)}))) << "it can be scaled";
  EXPECT_FALSE(claims.check("b", {1, 6}, with({fixed(8080)})));
  claims.put("a", {1, 5}, with({ingress(9090)}));
  EXPECT_TRUE(claims.check("c", {}, with({ingress(80)})));
  EXPECT_FALSE(claims.check("a", {1, 5}, with({ingress(8080)}))) << "given up for good";
}

TEST(PortClaims, give_a_port_to_the_older_service_and_tell_who_is_concerned) {
  PortClaims claims;
  EXPECT_THAT(claims.put("new", {1, 9}, with({ingress(8080)})), IsEmpty());
  EXPECT_THAT(claims.put("old", {1, 5}, with({ingress(8080)})), ElementsAre("new"));
  EXPECT_EQ(claims.older_claimant({1, 5}, ingress(8080)), nullptr);
  ASSERT_NE(claims.older_claimant({1, 9}, ingress(8080)), nullptr);
  EXPECT_EQ(*claims.older_claimant({1, 9}, ingress(8080)), "old");
  EXPECT_THAT(claims.erase({1, 5}), ElementsAre("new"));
  EXPECT_EQ(claims.older_claimant({1, 9}, ingress(8080)), nullptr);
  EXPECT_THAT(claims.erase({1, 9}), IsEmpty());
  EXPECT_THAT(claims.erase({1, 9}), IsEmpty());
}

// Two services of the store with the same port, and an update that has moved the older one's target.
class IngressOfTest : public testing::Test {
 protected:
  void SetUp() override {
    add("old", {1, 5}, {{1, {ingress(8080, 80)}}, {2, {ingress(8080, 8000), {.target = 9000}}}});
    add("new", {1, 9}, {{1, {ingress(8080), ingress(9090)}}});
    Actions actions;
    master.step({}, Started{}, actions);
    master.step({}, Loaded{batch}, actions);
  }
  void add(std::string const& name, ServiceUid uid, std::map<std::uint32_t, std::vector<PortSpec>> const& revisions) {
    model::HeadRecord record;
    record.head.name = name;
    record.head.uid = uid;
    for (auto const& [revision, ports] : revisions) {
      record.head.revisions[revision] = {};
      record.head.revision = record.head.last_revision = revision;
      model::SpecRecord const spec{
          .service = name, .revision = revision, .content = {.spec = std::make_shared<model::ServiceSpec>(with(ports))}};
      batch.changes.push_back(
          {.key = model::spec_key(name, revision), .record = spec, .create_revision = uid.revision, .mod_revision = uid.revision});
    }
    record.head.events = record.head.generation = 1;
    batch.changes.push_back(
        {.key = model::head_key(name), .record = record, .create_revision = uid.revision, .mod_revision = uid.revision});
  }

  StoreBatch batch{
      .revision = 10,
      .changes = {
          {.key = model::cluster_key(), .record = model::ClusterRecord{.uid = {9}, .era = 1}, .create_revision = 2, .mod_revision = 2}}};
  Master master{{.new_cluster = {1}, .session = "s", .self = {1}, .name = "m1", .address = "10.0.0.1:4821"}};
};

TEST_F(IngressOfTest, is_what_no_older_service_has) {
  auto const* old = master.find_service("old");
  auto const* newer = master.find_service("new");
  ASSERT_TRUE(old && newer);
  EXPECT_THAT(ingress_of(master, *old), ElementsAre(model::IngressPort{.published = 8080, .target = 8000}));
  EXPECT_THAT(ingress_of(master, *newer), ElementsAre(model::IngressPort{.published = 9090, .target = 80}));
}

TEST_F(IngressOfTest, shows_in_the_status_of_the_newer_one) {
  Actions actions;
  master.step({.monotonic = Monotonic{200s}}, Tick{}, actions);
  EXPECT_THAT(master.find_service("new")->status.message, HasSubstr("8080/tcp is the older service old's"));
  EXPECT_THAT(master.find_service("old")->status.message, testing::Not(HasSubstr("8080")));
}

}  // namespace
}  // namespace davit::master
