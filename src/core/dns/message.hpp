// DNS messages as bytes (RFC 1035, EDNS: RFC 6891): reading a query, writing its reply. Pure; nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/dns/address.hpp"
#include "core/dns/name.hpp"

namespace davit::dns {

enum class Rcode : std::uint8_t { NoError = 0, FormErr = 1, ServFail = 2, NxDomain = 3, NotImp = 4, Refused = 5, BadVers = 16 };

namespace type {
inline constexpr std::uint16_t kA = 1, kSoa = 6, kPtr = 12, kAaaa = 28, kSrv = 33, kOpt = 41, kIxfr = 251, kAxfr = 252, kAny = 255;
}
inline constexpr std::uint16_t kInternet = 1;  // the class

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kPlainLimit = 512;   // of an answer over UDP to who has said nothing else
inline constexpr std::size_t kUdpLimit = 1232;    // of any answer over UDP: goes unfragmented everywhere
inline constexpr std::size_t kTcpLimit = 65535;

struct Edns {
  std::uint16_t payload = 0;  // what its sender can take over UDP
  std::uint8_t version = 0;
  bool dnssec_ok = false;
};

struct Query {
  std::uint16_t id = 0;
  std::uint8_t flags[2] = {};  // as they came
  std::size_t question_end = 0;  // the question is the bytes from kHeaderSize to here; 0: none was read
  Name name;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
  std::optional<Edns> edns;

  bool wants_recursion() const { return (flags[0] & 0x01) != 0; }
  // How long an answer over UDP may be.
  std::size_t udp_limit() const;
};

// False: too short for a header, or an answer itself. To answer those makes echoes.
bool deserves_answer(Bytes message);
// Reads as far as it can; Rcode::NoError: it is a query as we serve them.
Rcode read_query(Bytes message, Query& query);

std::uint16_t read16(Bytes message, std::size_t at);

// Writes one reply: header and question, records by section, then finish(). What does not fit is refused and leaves nothing behind.
class Reply {
 public:
  // `message` is the query's bytes. The limit holds for the whole reply, with the OPT record.
  Reply(std::span<std::uint8_t> buffer, std::size_t limit, Bytes message, Query const& query);

  // `owner`: where in the reply its name is.
  bool answer(std::size_t owner, Address const& address, std::uint32_t ttl);
  // Gives where the target's name is; 0: it did not fit.
  std::size_t answer(std::size_t owner, std::uint16_t port, Name const& target, std::uint32_t ttl);
  bool answer_start(std::size_t owner, std::size_t domain, std::uint32_t serial, std::uint32_t ttl);  // SOA
  void authority_start(std::size_t domain, std::uint32_t serial, std::uint32_t ttl);
  bool additional(std::size_t owner, Address const& address, std::uint32_t ttl);

  void set_authoritative() { flags_[0] |= 0x04; }
  void set_truncated() { flags_[0] |= 0x02; }
  void set_recursion_available() { flags_[1] |= 0x80; }
  std::size_t finish(Rcode code);  // gives its size

 private:
  bool fits(std::size_t bytes) const { return size_ + bytes <= limit_; }
  void put8(unsigned value) { buffer_[size_++] = static_cast<std::uint8_t>(value); }
  void put16(unsigned value);
  void put32(std::uint32_t value);
  void put(std::string_view bytes);
  void pointer(std::size_t to) { put16(0xC000U | static_cast<unsigned>(to)); }
  void record(std::size_t owner, std::uint16_t of_type, std::uint32_t ttl, std::size_t size);
  bool address(std::size_t owner, Address const& address, std::uint32_t ttl);
  bool start(std::size_t owner, std::size_t domain, std::uint32_t serial, std::uint32_t ttl);

  std::span<std::uint8_t> buffer_;
  std::size_t limit_;  // without the OPT record
  std::size_t size_ = 0;
  std::uint8_t flags_[2] = {};
  std::uint16_t id_;
  std::optional<Edns> edns_;
  unsigned questions_ = 0, answers_ = 0, authorities_ = 0, additionals_ = 0;
};

// The 11 bytes of our own OPT record.
void put_opt(std::span<std::uint8_t, 11> out, unsigned extended_code, bool dnssec_ok);

}  // namespace davit::dns
