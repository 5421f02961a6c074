#include "core/dns/message.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace davit::dns {
namespace {

constexpr std::size_t kOptSize = 11;
constexpr std::size_t kPointable = 0x4000;  // a pointer has 14 bits
constexpr std::uint8_t kAnswerBit = 0x80, kOpcodeBits = 0x78, kRecursionBit = 0x01;

// Past a name that may end in a pointer; nothing: it is cut off.
std::optional<std::size_t> skip_name(Bytes message, std::size_t at) {
  while (at < message.size()) {
    unsigned const length = message[at];
    if (length >= 0xC0) return at + 2;
    if (length > 63) return std::nullopt;
    at += 1 + length;
    if (length == 0) return at;
  }
  return std::nullopt;
}

// Reads the additional records, of which OPT alone concerns us, up to the end of the message.
Rcode read_additional(Bytes message, std::size_t at, unsigned count, Query& query) {
  for (; count > 0; --count) {
    bool const is_root = at < message.size() && message[at] == 0;
    auto const fixed = skip_name(message, at);
    if (!fixed || *fixed + 10 > message.size()) return Rcode::FormErr;
    auto const next = *fixed + 10 + read16(message, *fixed + 8);
    if (next > message.size()) return Rcode::FormErr;
    if (read16(message, *fixed) == type::kOpt) {
      if (!is_root || query.edns) return Rcode::FormErr;
      query.edns =
          Edns{.payload = read16(message, *fixed + 2), .version = message[*fixed + 5], .dnssec_ok = (message[*fixed + 6] & 0x80) != 0};
    }
    at = next;
  }
  return at == message.size() ? Rcode::NoError : Rcode::FormErr;
}

}  // namespace

std::uint16_t read16(Bytes message, std::size_t at) { return static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]); }

std::size_t Query::udp_limit() const { return edns ? std::clamp<std::size_t>(edns->payload, kPlainLimit, kUdpLimit) : kPlainLimit; }

bool deserves_answer(Bytes message) { return message.size() >= kHeaderSize && (message[2] & kAnswerBit) == 0; }

Rcode read_query(Bytes message, Query& query) {
  query.id = read16(message, 0);
  query.flags[0] = message[2];
  query.flags[1] = message[3];
  if ((message[2] & kOpcodeBits) != 0) return Rcode::NotImp;
  bool const is_one_question = read16(message, 4) == 1 && read16(message, 6) == 0 && read16(message, 8) == 0;
  if (!is_one_question) return Rcode::FormErr;
  auto const name = Name::read(message, kHeaderSize);
  if (!name) return Rcode::FormErr;
  auto const at = kHeaderSize + name->wire().size();
  if (at + 4 > message.size()) return Rcode::FormErr;
  query.name = *name;
  query.type = read16(message, at);
  query.klass = read16(message, at + 2);
  query.question_end = at + 4;
  return read_additional(message, query.question_end, read16(message, 10), query);
}

// ---- replies

Reply::Reply(std::span<std::uint8_t> buffer, std::size_t limit, Bytes message, Query const& query)
    : buffer_(buffer),
      limit_(std::min(limit, buffer.size()) - (query.edns ? kOptSize : 0)),
      id_(query.id),
      edns_(query.edns) {
  flags_[0] = static_cast<std::uint8_t>(kAnswerBit | (query.flags[0] & (kOpcodeBits | kRecursionBit)));
  flags_[1] = static_cast<std::uint8_t>(query.flags[1] & 0x10);  // checking disabled
  auto const end = std::max(query.question_end, kHeaderSize);
  CHECK(end <= limit_);
  std::copy(message.begin() + kHeaderSize, message.begin() + static_cast<std::ptrdiff_t>(end), buffer_.begin() + kHeaderSize);
  questions_ = end > kHeaderSize ? 1 : 0;
  size_ = end;
}

void Reply::put16(unsigned value) {
  put8(value >> 8);
  put8(value);
}

void Reply::put32(std::uint32_t value) {
  put16(value >> 16);
  put16(value & 0xFFFF);
}

void Reply::put(std::string_view bytes) {
  std::ranges::copy(bytes, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += bytes.size();
}

void Reply::record(std::size_t owner, std::uint16_t of_type, std::uint32_t ttl, std::size_t size) {
  pointer(owner);
  put16(of_type);
  put16(kInternet);
  put32(ttl);
  put16(static_cast<unsigned>(size));
}

bool Reply::address(std::size_t owner, Address const& address, std::uint32_t ttl) {
  auto const octets = address.octets();
  if (!fits(12 + octets.size())) return false;
  record(owner, address.is_v6 ? type::kAaaa : type::kA, ttl, octets.size());
  put({reinterpret_cast<char const*>(octets.data()), octets.size()});
  return true;
}

bool Reply::answer(std::size_t owner, Address const& address, std::uint32_t ttl) {
  bool const is_in = this->address(owner, address, ttl);
  answers_ += is_in;
  return is_in;
}

bool Reply::additional(std::size_t owner, Address const& address, std::uint32_t ttl) {
  bool const is_in = owner < kPointable && this->address(owner, address, ttl);
  additionals_ += is_in;
  return is_in;
}

// RFC 2782: the target's name is not compressed. Others may point to it.
std::size_t Reply::answer(std::size_t owner, std::uint16_t port, Name const& target, std::uint32_t ttl) {
  auto const name = target.wire();
  if (!fits(12 + 6 + name.size())) return 0;
  record(owner, type::kSrv, ttl, 6 + name.size());
  put16(0);  // priority
  put16(1);  // weight: all alike
  put16(port);
  auto const at = size_;
  put(name);
  ++answers_;
  return at;
}

bool Reply::start(std::size_t owner, std::size_t domain, std::uint32_t serial, std::uint32_t ttl) {
  constexpr std::string_view kMailbox = "\x0Ahostmaster";
  constexpr std::uint32_t kHour = 3600;
  auto const size = 2 + kMailbox.size() + 2 + 20;
  if (!fits(12 + size)) return false;
  record(owner, type::kSoa, ttl, size);
  pointer(domain);
  put(kMailbox);
  pointer(domain);
  put32(serial);
  put32(kHour);       // refresh, retry, expire: for secondaries, of which there are none
  put32(kHour / 6);
  put32(kHour * 24);
  put32(ttl);  // of what does not exist
  return true;
}

bool Reply::answer_start(std::size_t owner, std::size_t domain, std::uint32_t serial, std::uint32_t ttl) {
  bool const is_in = start(owner, domain, serial, ttl);
  answers_ += is_in;
  return is_in;
}

void Reply::authority_start(std::size_t domain, std::uint32_t serial, std::uint32_t ttl) {
  authorities_ += start(domain, domain, serial, ttl);
}

std::size_t Reply::finish(Rcode code) {
  auto const bits = static_cast<unsigned>(code);
  if (edns_) {
    put_opt(buffer_.subspan(size_).first<kOptSize>(), bits >> 4, edns_->dnssec_ok);
    size_ += kOptSize;
    ++additionals_;
  }
  auto const end = std::exchange(size_, 0);
  put16(id_);
  put8(flags_[0]);
  put8(flags_[1] | (bits & 0x0F));
  for (auto const count : {questions_, answers_, authorities_, additionals_}) put16(count);
  return end;
}

void put_opt(std::span<std::uint8_t, 11> out, unsigned extended_code, bool dnssec_ok) {
  std::ranges::fill(out, 0);
  out[2] = type::kOpt;
  out[3] = kUdpLimit >> 8;
  out[4] = kUdpLimit & 0xFF;
  out[5] = static_cast<std::uint8_t>(extended_code);
  out[7] = dnssec_ok ? 0x80 : 0;
}

}  // namespace davit::dns
