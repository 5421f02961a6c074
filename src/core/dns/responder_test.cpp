#include "core/dns/responder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/dns/dns_harness.hpp"

namespace davit::dns {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;
using Kind = Outcome::Kind;

class ResponderTest : public testing::Test {
 protected:
  ResponderTest() {
    responder_.set_neighbourhood({.own = {*parse_address("10.0.0.11")}, .bridges = {{*parse_address("172.17.0.1"), 16}}});
    show(sample_directory());
  }

  void show(model::Directory directory) { responder_.show(std::make_shared<model::Directory const>(std::move(directory))); }
  // The raw reply; empty: silence, or it is to be forwarded (kind_ says which).
  Message reply_to(Message const& query) {
    Message buffer(transport_ == Transport::Udp ? kUdpLimit : kTcpLimit);
    Query read;
    auto const outcome = responder_.respond(query, *parse_address(source_), transport_, buffer, read);
    kind_ = outcome.kind;
    buffer.resize(outcome.size);
    return buffer;
  }
  Told ask(Asked const& asked) {
    auto const reply = reply_to(make_query(asked));
    EXPECT_EQ(kind_, Kind::Reply) << asked.name;
    return kind_ == Kind::Reply ? read_reply(reply) : Told{};
  }
  std::vector<std::string> answer(std::string const& name, std::uint16_t type = type::kA) { return ask({name, type}).answer; }
  std::string code(std::string const& name, std::uint16_t type = type::kA) { return ask({name, type}).code; }

  Responder responder_{*Name::parse("davit"), 1s};
  std::string source_ = "172.17.0.5";
  Transport transport_ = Transport::Udp;
  Kind kind_ = Kind::Silence;
};

TEST_F(ResponderTest, gives_each_address_of_a_service_once) {
  auto const told = ask({"web.davit"});
  EXPECT_EQ(told.code, "NOERROR");
  EXPECT_EQ(told.flags, "aa rd ra");
  EXPECT_EQ(told.id, 0x1234U);
  EXPECT_THAT(told.answer, UnorderedElementsAre("web.davit. 1 IN A 10.0.0.11", "web.davit. 1 IN A 10.0.0.12"));
  EXPECT_THAT(told.authority, IsEmpty());
  EXPECT_EQ(told.payload, std::nullopt);
}

TEST_F(ResponderTest, lets_another_address_come_first_each_time_also_between_questions_of_other_types) {
  std::set<std::string> first;
  for (int i = 0; i < 2; ++i) {
    first.insert(answer("web.davit").at(0));
    EXPECT_THAT(answer("web.davit", type::kAaaa), IsEmpty());
  }
  EXPECT_THAT(first, SizeIs(2));
  EXPECT_NE(answer("web.davit", type::kSrv).at(0), answer("web.davit", type::kSrv).at(0));
}

TEST_F(ResponderTest, keeps_the_turn_when_the_service_changes) {
  auto const first = answer("web.davit").at(0);
  show(sample_directory());
  EXPECT_NE(answer("web.davit").at(0), first);
}

TEST_F(ResponderTest, gives_the_ports_with_the_addresses_of_their_nodes) {
  auto const told = ask({"_http._tcp.web.davit", type::kSrv});
  EXPECT_THAT(told.answer, UnorderedElementsAre("_http._tcp.web.davit. 1 IN SRV 0 1 20000 n1.node.davit.",
                                                "_http._tcp.web.davit. 1 IN SRV 0 1 20000 n2.node.davit.",
                                                "_http._tcp.web.davit. 1 IN SRV 0 1 20002 n1.node.davit."));
  EXPECT_THAT(told.additional, UnorderedElementsAre("n1.node.davit. 1 IN A 10.0.0.11", "n2.node.davit. 1 IN A 10.0.0.12"));
  EXPECT_THAT(answer("web.davit", type::kSrv), SizeIs(6));
  EXPECT_THAT(answer("_80._tcp.web.davit", type::kSrv), SizeIs(3)) << "the container's port";
  EXPECT_THAT(answer("2.web.davit", type::kSrv),
              UnorderedElementsAre("2.web.davit. 1 IN SRV 0 1 20000 n2.node.davit.", "2.web.davit. 1 IN SRV 0 1 20001 n2.node.davit."));
}

TEST_F(ResponderTest, knows_slots_and_nodes) {
  EXPECT_THAT(answer("2.web.davit"), ElementsAre("2.web.davit. 1 IN A 10.0.0.12"));
  EXPECT_THAT(answer("n2.node.davit"), ElementsAre("n2.node.davit. 1 IN A 10.0.0.12"));
  EXPECT_THAT(answer("big.example.org.node.davit"), ElementsAre("big.example.org.node.davit. 1 IN A 10.0.0.13"));
  EXPECT_THAT(answer("n6.node.davit", type::kAaaa), ElementsAre("n6.node.davit. 1 IN AAAA fd00::6"));
  EXPECT_THAT(answer("my_six.davit", type::kAaaa), ElementsAre("my_six.davit. 1 IN AAAA fd00::6"));
  EXPECT_THAT(answer("_53._udp.my_six.davit", type::kSrv), ElementsAre("_53._udp.my_six.davit. 1 IN SRV 0 1 20000 n6.node.davit."));
}

TEST_F(ResponderTest, points_to_the_instance_where_its_address_is_not_its_nodes) {
  auto const told = ask({"odd.davit", type::kSrv, 1232});
  auto const of = [](std::uint64_t id) { return to_string(InstanceId{id}) + ".odd.davit."; };
  EXPECT_THAT(told.answer,
              UnorderedElementsAre("odd.davit. 1 IN SRV 0 1 8080 " + of(7), "odd.davit. 1 IN SRV 0 1 8081 big.example.org.node.davit.",
                                   "odd.davit. 1 IN SRV 0 1 8082 " + of(9)))
      << "what listens on all addresses is at its node's; an address that is none is nowhere";
  EXPECT_THAT(told.additional, Contains(of(7) + " 1 IN A 192.168.7.1"));
  EXPECT_THAT(answer(of(9)), ElementsAre(of(9) + " 1 IN A 10.0.0.99"));
}

TEST_F(ResponderTest, tells_no_data_from_no_name) {
  struct Case {
    std::string name;
    std::uint16_t type;
    std::string code;
  };
  for (auto const& [name, type, code] : std::vector<Case>{{"web.davit", type::kAaaa, "NOERROR"},
                                                          {"web.davit", 16, "NOERROR"},
                                                          {"db.davit", type::kA, "NOERROR"},
                                                          {"db.davit", type::kSrv, "NOERROR"},
                                                          {"_tcp.web.davit", type::kSrv, "NOERROR"},
                                                          {"_http._tcp.web.davit", type::kA, "NOERROR"},
                                                          {"node.davit", type::kA, "NOERROR"},
                                                          {"org.node.davit", type::kA, "NOERROR"},
                                                          {"davit", type::kA, "NOERROR"},
                                                          {"davit", 2, "NOERROR"},
                                                          {"nobody.davit", type::kA, "NXDOMAIN"},
                                                          {"4.web.davit", type::kA, "NXDOMAIN"},
                                                          {"02.web.davit", type::kA, "NXDOMAIN"},
                                                          {"x.web.davit", type::kA, "NXDOMAIN"},
                                                          {"1.1.web.davit", type::kA, "NXDOMAIN"},
                                                          {"_udp.web.davit", type::kSrv, "NXDOMAIN"},
                                                          {"_https._tcp.web.davit", type::kSrv, "NXDOMAIN"},
                                                          {"_http._tcp.2.web.davit", type::kSrv, "NXDOMAIN"},
                                                          {"_http._tcp.db.davit", type::kSrv, "NXDOMAIN"},
                                                          {"n9.node.davit", type::kA, "NXDOMAIN"},
                                                          {"x.n1.node.davit", type::kA, "NXDOMAIN"}}) {
    auto const told = ask({name, type});
    EXPECT_EQ(told.code, code) << name;
    EXPECT_THAT(told.answer, IsEmpty()) << name;
    ASSERT_THAT(told.authority, SizeIs(1)) << name;
    EXPECT_THAT(told.authority[0], StartsWith("davit. 1 IN SOA davit. hostmaster.davit. 1 ")) << name;
    EXPECT_TRUE(told.authority[0].ends_with(" 1")) << "for how long it may be believed";
  }
  EXPECT_THAT(answer("davit", type::kSoa), SizeIs(1));
}

TEST_F(ResponderTest, knows_a_dot_in_a_label_from_one_between_labels) {
  auto query = make_query({"bigXexample.org.node.davit"});
  query[kHeaderSize + 4] = '.';
  EXPECT_EQ(read_reply(reply_to(query)).code, "NXDOMAIN");
}

TEST_F(ResponderTest, keeps_the_letters_as_they_were_asked) {
  auto const told = ask({"wEb.DAVit"});
  EXPECT_EQ(told.question, "wEb.DAVit.");
  EXPECT_THAT(told.answer, Contains("wEb.DAVit. 1 IN A 10.0.0.11"));
  EXPECT_THAT(answer("_HTTP._Tcp.Web.Davit", type::kSrv), SizeIs(3));
}

TEST_F(ResponderTest, does_not_say_that_nothing_is_there_before_it_knows) {
  Responder unknowing(*Name::parse("davit"), 1s);
  Message buffer(kUdpLimit);
  Query read;
  auto const outcome = unknowing.respond(make_query({"web.davit"}), *parse_address("127.0.0.1"), Transport::Udp, buffer, read);
  ASSERT_EQ(outcome.kind, Kind::Reply);
  auto const told = read_reply(Bytes(buffer).first(outcome.size));
  EXPECT_EQ(told.code, "SERVFAIL");
  EXPECT_EQ(told.flags, "rd ra");
}

TEST_F(ResponderTest, follows_the_directory) {
  EXPECT_THAT(answer("web.davit"), SizeIs(2));
  auto changed = sample_directory();
  put_service(changed, "web", {endpoint(1, 1, "n1", "10.0.0.11", 20000)});
  changed.services.erase("odd");
  changed.nodes["n1"] = "10.0.0.111";
  show(std::move(changed));
  EXPECT_THAT(answer("web.davit"), ElementsAre("web.davit. 1 IN A 10.0.0.11"));
  EXPECT_THAT(answer("n1.node.davit"), ElementsAre("n1.node.davit. 1 IN A 10.0.0.111"));
  EXPECT_EQ(code("odd.davit"), "NXDOMAIN");
  auto const target = ask({"web.davit", type::kSrv}).additional;
  EXPECT_THAT(target, ElementsAre(to_string(InstanceId{1}) + ".web.davit. 1 IN A 10.0.0.11")) << "n1's name would lead elsewhere now";
}

// ---- sizes

model::Directory wide_directory(std::uint32_t count) {
  model::Directory directory;
  std::vector<model::Endpoint> endpoints;
  for (std::uint32_t i = 1; i <= count; ++i) {
    auto const node = "node-" + std::to_string(i);
    auto const address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    directory.nodes[node] = address;
    endpoints.push_back(endpoint(i, i, node, address, 20000));
  }
  put_service(directory, "wide", std::move(endpoints));
  return directory;
}

TEST_F(ResponderTest, cuts_answers_to_what_the_client_can_take) {
  show(wide_directory(200));
  struct Case {
    std::optional<std::uint16_t> payload;
    std::size_t limit;
  };
  for (auto const& [payload, limit] : std::vector<Case>{{{}, 512}, {100, 512}, {700, 700}, {4096, kUdpLimit}}) {
    for (auto const type : {type::kA, type::kSrv}) {
      auto const told = ask({"wide.davit", type, payload});
      EXPECT_EQ(told.flags, "aa tc rd ra");
      EXPECT_LE(told.size, limit);
      EXPECT_GT(told.size, limit - 60) << "what fits is there, for who does not ask over TCP";
      EXPECT_EQ(told.payload, payload ? std::optional<unsigned>(kUdpLimit) : std::nullopt);
    }
  }
  transport_ = Transport::Tcp;
  EXPECT_THAT(answer("wide.davit"), SizeIs(200));
  EXPECT_THAT(answer("wide.davit", type::kSrv), SizeIs(200));
  show(wide_directory(6000));
  auto const told = ask({"wide.davit", type::kA, 512});
  EXPECT_THAT(told.answer, SizeIs(testing::Gt(4000U)));
  EXPECT_EQ(told.flags, "aa rd ra");
}

TEST_F(ResponderTest, leaves_out_hints_that_do_not_fit_without_saying_cut_off) {
  show(wide_directory(10));
  auto const told = ask({"wide.davit", type::kSrv});
  EXPECT_EQ(told.flags, "aa rd ra");
  EXPECT_THAT(told.answer, SizeIs(10));
  EXPECT_THAT(told.additional, SizeIs(testing::Lt(10U)));
}

TEST_F(ResponderTest, answers_any_with_one_kind_of_records) {
  EXPECT_THAT(ask({"web.davit", type::kAny}).answer, SizeIs(2));
  EXPECT_THAT(ask({"_http._tcp.web.davit", type::kAny}).answer, SizeIs(3));
  EXPECT_THAT(ask({"my_six.davit", type::kAny}).answer, SizeIs(1));
}

// ---- what is not ours

TEST_F(ResponderTest, forwards_for_its_own_host_and_containers_alone) {
  for (auto const* const local : {"172.17.0.5", "172.17.255.1", "127.0.0.1", "10.0.0.11", "::1"}) {
    source_ = local;
    EXPECT_TRUE(reply_to(make_query({"example.com"})).empty());
    EXPECT_EQ(kind_, Kind::Forward) << local;
  }
  for (auto const* const stranger : {"172.18.0.5", "10.0.0.12", "fd00::1"}) {
    source_ = stranger;
    auto const told = ask({"example.com"});
    EXPECT_EQ(told.code, "REFUSED");
    EXPECT_EQ(told.flags, "rd") << "no recursion for strangers";
    EXPECT_THAT(answer("web.davit"), SizeIs(2)) << "what is ours is for all";
  }
}

TEST_F(ResponderTest, refuses_to_guess_where_no_recursion_is_wanted) {
  EXPECT_EQ(ask({.name = "example.com", .wants_recursion = false}).code, "REFUSED");
}

TEST_F(ResponderTest, does_not_ask_others_for_the_names_of_its_bridges_addresses) {
  EXPECT_EQ(code("5.0.17.172.in-addr.arpa", type::kPtr), "NXDOMAIN");
  reply_to(make_query({"12.0.0.10.in-addr.arpa", type::kPtr}));
  EXPECT_EQ(kind_, Kind::Forward);
  reply_to(make_query({"17.172.in-addr.arpa", type::kPtr}));
  EXPECT_EQ(kind_, Kind::Forward) << "no whole address";
}

TEST_F(ResponderTest, takes_a_domain_of_several_labels) {
  Responder responder(*Name::parse("svc.Example.org"), 5s);
  responder.show(std::make_shared<model::Directory const>(sample_directory()));
  Message buffer(kUdpLimit);
  Query read;
  auto const ask = [&](std::string const& name, std::uint16_t type) {
    auto const outcome = responder.respond(make_query({name, type}), *parse_address("10.9.9.9"), Transport::Udp, buffer, read);
    return read_reply(Bytes(buffer).first(outcome.size));
  };
  EXPECT_THAT(ask("2.web.svc.example.org", type::kSrv).answer,
              Contains("2.web.svc.example.org. 5 IN SRV 0 1 20000 n2.node.svc.example.org."));
  EXPECT_EQ(ask("nobody.svc.example.org", type::kA).authority.at(0),
            "svc.example.org. 5 IN SOA svc.example.org. hostmaster.svc.example.org. 1 3600 600 86400 5");
  EXPECT_EQ(ask("web.davit", type::kA).code, "REFUSED");
  EXPECT_EQ(ask("xsvc.example.org", type::kA).code, "REFUSED") << "not within";
}

// ---- what is malformed

TEST_F(ResponderTest, never_answers_answers_or_less_than_a_header) {
  auto query = make_query({"web.davit"});
  query[2] |= 0x80;
  EXPECT_TRUE(reply_to(query).empty());
  EXPECT_EQ(kind_, Kind::Silence);
  for (std::size_t size = 0; size < kHeaderSize; ++size) {
    EXPECT_TRUE(reply_to(Message(size, 0)).empty());
    EXPECT_EQ(kind_, Kind::Silence);
  }
}

TEST_F(ResponderTest, says_what_is_wrong_with_a_query) {
  auto const with = [](std::initializer_list<std::pair<std::size_t, int>> changes, Message query) {
    for (auto const& [at, value] : changes) query[at] = static_cast<std::uint8_t>(value);
    return query;
  };
  auto const plain = make_query({"web.davit"});
  auto const edns = make_query({"web.davit", type::kA, 1232});
  auto longer = plain;
  longer.push_back(0);
  auto two = edns;
  two[11] = 2;
  two.insert(two.end(), edns.end() - 11, edns.end());
  Message cut(plain.begin(), plain.end() - 3);
  struct Case {
    char const* what;
    Message query;
    std::string code;
  };
  for (auto const& [what, query, code] : std::vector<Case>{{"no question", with({{5, 0}}, plain), "FORMERR"},
                                                           {"two questions", with({{5, 2}}, plain), "FORMERR"},
                                                           {"an answer in a query", with({{7, 1}}, plain), "FORMERR"},
                                                           {"more than was counted", longer, "FORMERR"},
                                                           {"less than was counted", with({{11, 1}}, plain), "FORMERR"},
                                                           {"a pointer in the name", with({{12, 0xC0}}, plain), "FORMERR"},
                                                           {"a label beyond the end", with({{12, 63}}, plain), "FORMERR"},
                                                           {"cut off", cut, "FORMERR"},
                                                           {"two OPT", two, "FORMERR"},
                                                           {"an OPT with a name", with({{plain.size(), 1}}, edns), "FORMERR"},
                                                           {"another version of EDNS", with({{plain.size() + 6, 1}}, edns), "BADVERS"},
                                                           {"an update", with({{2, 5 << 3}}, plain), "NOTIMPL"},
                                                           {"another class", with({{plain.size() - 1, 3}}, plain), "REFUSED"},
                                                           {"a transfer", make_query({"davit", type::kAxfr}), "REFUSED"},
                                                           {"a question for OPT", make_query({"davit", type::kOpt}), "FORMERR"}}) {
    auto const reply = reply_to(query);
    ASSERT_EQ(kind_, Kind::Reply) << what;
    auto const told = read_reply(reply);
    EXPECT_EQ(told.code, code) << what;
    EXPECT_EQ(told.id, 0x1234U) << what;
    EXPECT_THAT(told.answer, IsEmpty()) << what;
  }
}

TEST_F(ResponderTest, survives_every_cut_and_every_flipped_byte) {
  for (auto const& query : {make_query({"_http._tcp.web.davit", type::kSrv, 1232}), make_query({"2.web.davit"})}) {
    for (std::size_t size = 0; size < query.size(); ++size) {
      auto const reply = reply_to(Message(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(size)));
      if (kind_ == Kind::Reply) EXPECT_EQ(read_reply(reply).code, "FORMERR") << size;
    }
    for (std::size_t at = 0; at < query.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        auto changed = query;
        changed[at] = static_cast<std::uint8_t>(value);
        auto const reply = reply_to(changed);
        if (kind_ == Kind::Reply) read_reply(reply);
      }
    }
  }
}

TEST_F(ResponderTest, takes_names_up_to_the_limit) {
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(63, 'a') + ".";
  longest += std::string(55, 'b') + ".davit";  // 255 bytes on the wire
  EXPECT_EQ(code(longest), "NXDOMAIN");
  auto const reply = reply_to(make_query({"c" + longest}));
  EXPECT_EQ(read_reply(reply).code, "FORMERR");
}

}  // namespace
}  // namespace davit::dns
