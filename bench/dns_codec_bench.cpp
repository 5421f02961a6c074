// What one answer costs beside the kernel: read the question, find three addresses, write the reply. The same by ldns, from its own
// reader to its own writer, the records made beforehand (docs/adr/0017-dns.md).
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/dns/responder.hpp"

#include <ldns/ldns.h>  // last: it makes macros of bool and false

namespace davit {
namespace {

// web-7.davit A, with EDNS
std::vector<std::uint8_t> question(std::uint16_t type) {
  std::vector<std::uint8_t> bytes{0x12, 0x34, 1,   0, 0,   1,   0,   0,   0,   0, 0, 1, 5, 'w', 'e',
                                  'b',  '-',  '7', 5, 'd', 'a', 'v', 'i', 't', 0, 0, 0, 0, 1};
  bytes[bytes.size() - 3] = static_cast<std::uint8_t>(type);
  for (int const byte : {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0}) bytes.push_back(static_cast<std::uint8_t>(byte));
  return bytes;
}

std::shared_ptr<model::Directory const> directory() {
  model::Directory directory;
  for (int i = 1; i <= 9; ++i) directory.nodes["n" + std::to_string(i)] = "10.0.0." + std::to_string(i);
  for (int i = 0; i < 1000; ++i) {
    model::ServiceEntry entry;
    for (std::uint32_t slot = 1; slot <= 3; ++slot) {
      auto const node = std::to_string(slot);
      entry.endpoints.push_back(
          {.instance = {slot}, .slot = slot, .node = "n" + node, .address = "10.0.0." + node, .port = 20000, .target = 80, .name = "http"});
    }
    directory.services["web-" + std::to_string(i)] = std::make_shared<model::ServiceEntry const>(std::move(entry));
  }
  return std::make_shared<model::Directory const>(std::move(directory));
}

void own(benchmark::State& state) {
  dns::Responder responder(*dns::Name::parse("davit"), 1s);
  responder.show(directory());
  auto const asked = question(static_cast<std::uint16_t>(state.range(0)));
  auto const source = *dns::parse_address("172.17.0.2");
  std::array<std::uint8_t, dns::kUdpLimit> buffer;
  dns::Query query;
  for (auto _ : state) benchmark::DoNotOptimize(responder.respond(asked, source, dns::Transport::Udp, buffer, query));
}
BENCHMARK(own)->Arg(dns::type::kA)->Arg(dns::type::kSrv);

void ldns(benchmark::State& state) {
  auto const asked = question(dns::type::kA);
  std::array<ldns_rr*, 3> records{};
  for (std::size_t i = 0; i < records.size(); ++i)
    ldns_rr_new_frm_str(&records[i], ("web-7.davit. 1 IN A 10.0.0." + std::to_string(i + 1)).c_str(), 1, nullptr, nullptr);
  for (auto _ : state) {
    ldns_pkt* query = nullptr;
    ldns_wire2pkt(&query, asked.data(), asked.size());
    auto* const reply = ldns_pkt_new();
    ldns_pkt_set_id(reply, ldns_pkt_id(query));
    ldns_pkt_set_qr(reply, true);
    ldns_pkt_set_aa(reply, true);
    ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
    for (auto* const record : records) ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, ldns_rr_clone(record));
    ldns_pkt_set_edns_udp_size(reply, dns::kUdpLimit);
    std::uint8_t* wire = nullptr;
    std::size_t size = 0;
    ldns_pkt2wire(&wire, reply, &size);
    benchmark::DoNotOptimize(wire);
    LDNS_FREE(wire);
    ldns_pkt_free(reply);
    ldns_pkt_free(query);
  }
  for (auto* const record : records) ldns_rr_free(record);
}
BENCHMARK(ldns);

}  // namespace
}  // namespace davit
