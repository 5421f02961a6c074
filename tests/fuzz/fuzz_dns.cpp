// Any bytes as a message to the DNS server. The first byte says how it comes: over which transport, from whom. What is answered is read by
// ldns, which was written by others; and as what a resolver answers to a question of ours.
#include <array>
#include <memory>

#include "base/check.hpp"
#include "core/dns/forwarding.hpp"
#include "core/dns/responder.hpp"

#include <ldns/ldns.h>  // last: it makes macros of bool and false

using namespace davit;

namespace {

std::shared_ptr<model::Directory const> directory() {
  model::Directory directory;
  directory.nodes = {{"n1", "10.0.0.11"}, {"n2", "fd00::2"}, {"a.b", "10.0.0.13"}};
  std::vector<model::Endpoint> web;
  for (std::uint32_t slot = 1; slot <= 60; ++slot)
    web.push_back({.instance = {slot},
                   .slot = slot,
                   .node = "n1",
                   .address = "10.0.0." + std::to_string(slot),
                   .port = 20000,
                   .target = 80,
                   .name = "http"});
  directory.services["web"] = std::make_shared<model::ServiceEntry const>(model::ServiceEntry{.endpoints = std::move(web), .ingress = {}});
  directory.services["db"] = std::make_shared<model::ServiceEntry const>();
  return std::make_shared<model::Directory const>(std::move(directory));
}

dns::Responder& responder() {
  static dns::Responder responder = [] {
    dns::Responder made(*dns::Name::parse("davit"), 1s);
    made.set_neighbourhood({.own = {}, .bridges = {{*dns::parse_address("172.17.0.1"), 16}}});
    made.show(directory());
    return made;
  }();
  return responder;
}

void check_readable(dns::Bytes reply) {
  ldns_pkt* packet = nullptr;
  CHECK(ldns_wire2pkt(&packet, reply.data(), reply.size()) == LDNS_STATUS_OK);
  CHECK(ldns_pkt_qr(packet));
  ldns_pkt_free(packet);
}

void forward(dns::Bytes client, dns::Query const& query) {
  auto const asked = dns::to_upstream(client, query, 7);
  check_readable(dns::no_answer(client, query));
  CHECK(!dns::is_answer(asked, asked));
  dns::Message answer(client.begin(), client.end());
  answer[0] = 0, answer[1] = 7, answer[2] |= 0x80;
  if (!dns::is_answer(answer, asked)) return;
  dns::to_client(answer, client, query, query.udp_limit());
  CHECK(answer.size() <= query.udp_limit() && dns::read16(answer, 0) == query.id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  auto const transport = data[0] & 1 ? dns::Transport::Tcp : dns::Transport::Udp;
  auto const source = *dns::parse_address(data[0] & 2 ? "172.17.0.9" : "192.0.2.1");
  dns::Bytes const message(data + 1, size - 1);
  static std::array<std::uint8_t, dns::kTcpLimit> buffer;
  dns::Query query;
  auto const limit = transport == dns::Transport::Udp ? dns::kUdpLimit : buffer.size();
  auto const outcome = responder().respond(message, source, transport, std::span(buffer).first(limit), query);
  if (outcome.kind == dns::Outcome::Kind::Forward) forward(message, query);
  if (outcome.kind != dns::Outcome::Kind::Reply) return 0;
  CHECK(outcome.size <= (transport == dns::Transport::Udp ? query.udp_limit() : limit));
  CHECK(buffer[0] == message[0] && buffer[1] == message[1] && (message[2] & 0x80) == 0);
  check_readable(dns::Bytes(buffer).first(outcome.size));
  return 0;
}
