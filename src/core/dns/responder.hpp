// What is answered to a message: from the directory, or that it is to be asked elsewhere. Owned by the server; its thread; no I/O.
//
//   asked for                     known directory                 nothing shown yet   who may not recurse
//   a name within our domain      records, NODATA or NXDOMAIN     SERVFAIL            the same answers
//   an address of our bridges     NXDOMAIN: nobody else knows it  NXDOMAIN            REFUSED
//   any other name                forwarded                       forwarded           REFUSED
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/time.hpp"
#include "core/dns/address.hpp"
#include "core/dns/message.hpp"
#include "core/dns/zone.hpp"

namespace davit::dns {

enum class Transport : std::uint8_t { Udp, Tcp };

struct Outcome {
  enum class Kind : std::uint8_t { Silence, Reply, Forward } kind = Kind::Silence;
  std::size_t size = 0;  // of the reply
  friend bool operator==(Outcome const&, Outcome const&) = default;
};

class Responder {
 public:
  Responder(Name domain, Duration ttl);

  void show(std::shared_ptr<model::Directory const> directory) { zone_.show(std::move(directory)); }
  void set_neighbourhood(Neighbourhood around) { around_ = std::move(around); }

  // Writes a reply to `buffer`, which holds at least kUdpLimit bytes. `query` is what was read, of use where it is to be forwarded.
  Outcome respond(Bytes message, Address const& source, Transport transport, std::span<std::uint8_t> buffer, Query& query);

 private:
  struct Call {
    Query const& query;
    Reply& reply;
    bool is_udp;
  };

  Rcode answer_own(Call const& call);
  void answer_type(Call const& call, Records& records);
  bool add_addresses(Call const& call, Ring<Address>& addresses);
  bool add_servers(Call const& call, Ring<Server>& servers);
  std::size_t domain_at(Query const& query) const;

  Zone zone_;
  std::uint32_t ttl_;  // seconds
  Neighbourhood around_;
};

}  // namespace davit::dns
