#include "core/dns/forwarding.hpp"

#include <algorithm>

namespace davit::dns {
namespace {

constexpr std::size_t kOptSize = 11;
constexpr std::uint8_t kAnswerBit = 0x80, kTruncatedBit = 0x02, kRecursionBit = 0x01;
constexpr std::uint8_t kCheckingBits = 0x30;  // AD and CD

bool is_same_question(Bytes a, Bytes b) {
  auto const name_size = a.size() - 4;
  return std::equal(a.begin(), a.end() - 4, b.begin(), b.begin() + static_cast<std::ptrdiff_t>(name_size),
                    [](std::uint8_t x, std::uint8_t y) { return lower(static_cast<char>(x)) == lower(static_cast<char>(y)); }) &&
         std::equal(a.end() - 4, a.end(), b.end() - 4, b.end());
}

void append_opt(Message& message, Query const& query) {
  if (!query.edns) return;
  auto const at = message.size();
  message.resize(at + kOptSize);
  put_opt(std::span(message).subspan(at).first<kOptSize>(), 0, query.edns->dnssec_ok);
  message[11] = 1;
}

// A header with this question and nothing else.
Message bare(Bytes client, Query const& query, std::uint16_t id) {
  Message message(client.begin(), client.begin() + static_cast<std::ptrdiff_t>(query.question_end));
  std::fill_n(message.begin(), kHeaderSize, 0);
  message[0] = static_cast<std::uint8_t>(id >> 8);
  message[1] = static_cast<std::uint8_t>(id);
  message[5] = 1;
  return message;
}

}  // namespace

Message to_upstream(Bytes client, Query const& query, std::uint16_t id) {
  auto message = bare(client, query, id);
  message[2] = kRecursionBit;
  message[3] = query.flags[1] & kCheckingBits;
  append_opt(message, query);
  return message;
}

bool is_answer(Bytes received, Bytes sent) {
  Query query;
  if (read_query(sent, query) != Rcode::NoError || received.size() < query.question_end) return false;
  bool const is_to_it = read16(received, 0) == query.id && (received[2] & 0xF8) == kAnswerBit && read16(received, 4) == 1;
  auto const size = query.question_end - kHeaderSize;
  return is_to_it && is_same_question(received.subspan(kHeaderSize, size), sent.subspan(kHeaderSize, size));
}

bool is_truncated(Bytes answer) { return (answer[2] & kTruncatedBit) != 0; }

bool is_failure(Bytes answer) {
  auto const code = static_cast<Rcode>(answer[3] & 0x0F);
  return code != Rcode::NoError && code != Rcode::NxDomain;
}

void to_client(Message& answer, Bytes client, Query const& query, std::size_t limit) {
  if (answer.size() > limit) {
    answer.resize(query.question_end);
    answer[2] |= kTruncatedBit;
    std::fill(answer.begin() + 6, answer.begin() + kHeaderSize, 0);
    append_opt(answer, query);
  }
  std::copy_n(client.begin(), 2, answer.begin());
  std::copy(client.begin() + kHeaderSize, client.begin() + static_cast<std::ptrdiff_t>(query.question_end), answer.begin() + kHeaderSize);
}

Message no_answer(Bytes client, Query const& query) {
  auto message = bare(client, query, query.id);
  message[2] = kAnswerBit | (query.flags[0] & kRecursionBit);
  message[3] = 0x80 | static_cast<std::uint8_t>(Rcode::ServFail);
  append_opt(message, query);
  return message;
}

}  // namespace davit::dns
