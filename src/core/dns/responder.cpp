#include "core/dns/responder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace davit::dns {
namespace {

constexpr std::size_t kQuestion = kHeaderSize;  // where the asked name is
constexpr std::size_t kMostHints = 64;          // addresses of SRV targets in one reply

// Until it gives false.
template <class T, class Each>
void for_each_in_turn(Ring<T>& ring, Each const& each) {
  auto const count = ring.all.size();
  auto const first = ring.turn++;
  for (std::size_t i = 0; i < count; ++i) {
    if (!each(ring.all[(first + i) % count])) return;
  }
}

}  // namespace

Responder::Responder(Name domain, Duration ttl)
    : zone_(domain),
      ttl_(static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(ttl).count())) {}

Outcome Responder::respond(Bytes message, Address const& source, Transport transport, std::span<std::uint8_t> buffer, Query& query) {
  if (!deserves_answer(message)) return {};
  query = {};
  auto const problem = read_query(message, query);
  bool const is_udp = transport == Transport::Udp;
  Reply reply(buffer, is_udp ? query.udp_limit() : kTcpLimit, message, query);
  auto const done = [&](Rcode code) { return Outcome{Outcome::Kind::Reply, reply.finish(code)}; };
  if (problem != Rcode::NoError) return done(problem);
  if (query.edns && query.edns->version > 0) return done(Rcode::BadVers);
  bool const may_recurse = around_.holds(source);
  if (may_recurse) reply.set_recursion_available();
  if (query.type == type::kOpt) return done(Rcode::FormErr);
  if (query.klass != kInternet || query.type == type::kAxfr || query.type == type::kIxfr) return done(Rcode::Refused);
  if (query.name.is_within(zone_.domain())) return done(zone_.is_known() ? answer_own({query, reply, is_udp}) : Rcode::ServFail);
  if (!may_recurse || !query.wants_recursion()) return done(Rcode::Refused);
  auto const reversed = reversed_address(query.name);
  bool const is_here = reversed && std::ranges::any_of(around_.bridges, [&](Network const& each) { return each.contains(*reversed); });
  return is_here ? done(Rcode::NxDomain) : Outcome{.kind = Outcome::Kind::Forward};
}

Rcode Responder::answer_own(Call const& call) {
  call.reply.set_authoritative();
  auto const domain = domain_at(call.query);
  auto* const records = zone_.find(call.query.name);
  if (!records) {
    call.reply.authority_start(domain, zone_.serial(), ttl_);
    return Rcode::NxDomain;
  }
  bool const is_start = domain == kQuestion && (call.query.type == type::kSoa || call.query.type == type::kAny);
  if (is_start) call.reply.answer_start(kQuestion, domain, zone_.serial(), ttl_);
  else answer_type(call, *records);
  return Rcode::NoError;
}

std::size_t Responder::domain_at(Query const& query) const { return kHeaderSize + query.name.wire().size() - zone_.domain().wire().size(); }

// ANY gets one kind of records only (RFC 8482).
void Responder::answer_type(Call const& call, Records& records) {
  auto const wants = [&](std::uint16_t type, auto const& ring) {
    return (call.query.type == type || call.query.type == type::kAny) && !ring.all.empty();
  };
  bool fits = true;
  if (wants(type::kA, records.v4)) fits = add_addresses(call, records.v4);
  else if (wants(type::kAaaa, records.v6)) fits = add_addresses(call, records.v6);
  else if (wants(type::kSrv, records.servers)) fits = add_servers(call, records.servers);
  else call.reply.authority_start(domain_at(call.query), zone_.serial(), ttl_);
  // Over TCP there is no way to ask for more.
  if (!fits && call.is_udp) call.reply.set_truncated();
}

bool Responder::add_addresses(Call const& call, Ring<Address>& addresses) {
  bool fits = true;
  for_each_in_turn(addresses, [&](Address const& address) { return fits = call.reply.answer(kQuestion, address, ttl_); });
  return fits;
}

bool Responder::add_servers(Call const& call, Ring<Server>& servers) {
  std::array<std::pair<Target const*, std::size_t>, kMostHints> named;  // and where their names are
  std::size_t count = 0;
  bool fits = true;
  for_each_in_turn(servers, [&](Server const& server) {
    auto const at = call.reply.answer(kQuestion, server.port, server.target->name, ttl_);
    fits = at != 0;
    auto const end = named.begin() + static_cast<std::ptrdiff_t>(count);
    bool const is_new = std::find_if(named.begin(), end, [&](auto const& each) { return each.first == server.target; }) == end;
    if (fits && is_new && count < kMostHints) named[count++] = {server.target, at};
    return fits;
  });
  // Hints that do not fit are no loss: their names can be asked for.
  for (std::size_t i = 0; fits && i < count; ++i) {
    if (!call.reply.additional(named[i].second, named[i].first->address, ttl_)) break;
  }
  return fits;
}

}  // namespace davit::dns
