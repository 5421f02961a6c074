#include "core/dns/forwarding.hpp"

#include <gtest/gtest.h>

#include "core/dns/dns_harness.hpp"

namespace davit::dns {
namespace {

Query read(Message const& message) {
  Query query;
  EXPECT_EQ(read_query(message, query), Rcode::NoError);
  return query;
}

// What a resolver would answer: the question, and an address.
Message answer_to(Message query) {
  auto const read_back = read(query);
  Message buffer(kUdpLimit);
  Reply reply(buffer, kUdpLimit, query, read_back);
  reply.answer(kHeaderSize, *parse_address("192.0.2.1"), 300);
  buffer.resize(reply.finish(Rcode::NoError));
  return buffer;
}

TEST(Forwarding, tells_others_the_question_and_nothing_of_the_client) {
  auto client = make_query({"Example.com", type::kAaaa, 4096});
  client[3] = 0x10;                // checking disabled
  client[client.size() - 1] = 12;  // a cookie
  for (unsigned const byte : {0U, 10U, 0U, 8U, 1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U}) client.push_back(static_cast<std::uint8_t>(byte));
  auto const asked = to_upstream(client, read(client), 0xBEEF);
  auto const query = read(asked);
  EXPECT_EQ(query.id, 0xBEEF);
  EXPECT_TRUE(query.wants_recursion());
  EXPECT_EQ(query.flags[1], 0x10);
  EXPECT_EQ(to_string(query.name), "example.com");
  EXPECT_EQ(query.type, type::kAaaa);
  EXPECT_EQ(query.edns->payload, kUdpLimit);
  EXPECT_EQ(asked.size(), query.question_end + 11) << "without the cookie";
  auto const plain = make_query({"example.com"});
  EXPECT_FALSE(read(to_upstream(plain, read(plain), 1)).edns);
}

TEST(Forwarding, takes_the_answer_to_this_question_only) {
  auto const asked = make_query({"example.com"});
  auto const answer = answer_to(asked);
  EXPECT_TRUE(is_answer(answer, asked));
  EXPECT_TRUE(is_answer(answer_to(make_query({"EXAMPLE.com"})), asked));
  EXPECT_FALSE(is_answer(asked, asked)) << "a question";
  EXPECT_FALSE(is_answer(answer_to(make_query({.name = "example.com", .id = 1})), asked));
  EXPECT_FALSE(is_answer(answer_to(make_query({"example.org"})), asked));
  EXPECT_FALSE(is_answer(answer_to(make_query({"example.com", type::kAaaa})), asked));
  for (std::size_t size = 0; size < asked.size(); ++size)
    EXPECT_FALSE(is_answer(Message(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(size)), asked));
}

TEST(Forwarding, gives_the_client_its_own_id_and_spelling) {
  auto const client = make_query({"eXample.com"});
  auto answer = answer_to(to_upstream(client, read(client), 77));
  to_client(answer, client, read(client), 512);
  auto const told = read_reply(answer);
  EXPECT_EQ(told.id, 0x1234U);
  EXPECT_EQ(told.question, "eXample.com.");
  EXPECT_EQ(told.answer, std::vector<std::string>{"eXample.com. 300 IN A 192.0.2.1"});
}

TEST(Forwarding, cuts_off_what_the_client_cannot_take) {
  for (auto const payload : {std::optional<std::uint16_t>(), std::optional<std::uint16_t>(600)}) {
    auto const client = make_query({"example.com", type::kA, payload});
    auto answer = answer_to(client);
    answer.resize(700);
    to_client(answer, client, read(client), 600);
    auto const told = read_reply(answer);
    EXPECT_NE(told.flags.find("tc"), std::string::npos);
    EXPECT_TRUE(told.answer.empty());
    EXPECT_EQ(told.payload.has_value(), payload.has_value());
  }
}

TEST(Forwarding, says_that_nobody_has_answered) {
  auto const client = make_query({"example.com", type::kA, 1232});
  auto const told = read_reply(no_answer(client, read(client)));
  EXPECT_EQ(told.code, "SERVFAIL");
  EXPECT_EQ(told.flags, "rd ra");
  EXPECT_EQ(told.id, 0x1234U);
  EXPECT_EQ(told.payload, kUdpLimit);
}

}  // namespace
}  // namespace davit::dns
