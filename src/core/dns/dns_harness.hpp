// For tests: directories and questions by hand, and answers as ldns reads them, which was written by others.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/dns/forwarding.hpp"
#include "model/directory.hpp"

#include <ldns/ldns.h>  // last: it makes macros of bool and false

namespace davit::dns {

struct Asked {
  std::string name;
  std::uint16_t type = type::kA;
  std::optional<std::uint16_t> payload = {};  // with EDNS
  std::uint16_t id = 0x1234;
  bool wants_recursion = true;
};

inline void put16(Message& message, unsigned value) {
  message.push_back(static_cast<std::uint8_t>(value >> 8));
  message.push_back(static_cast<std::uint8_t>(value));
}

inline Message make_query(Asked const& asked) {
  Message message;
  for (unsigned const each : {unsigned{asked.id}, asked.wants_recursion ? 0x0100U : 0U, 1U, 0U, 0U, asked.payload ? 1U : 0U})
    put16(message, each);
  for (std::string_view rest = asked.name; !rest.empty();) {
    auto const label = rest.substr(0, rest.find('.'));
    message.push_back(static_cast<std::uint8_t>(label.size()));
    message.insert(message.end(), label.begin(), label.end());
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  message.push_back(0);
  put16(message, asked.type);
  put16(message, kInternet);
  if (!asked.payload) return message;
  message.push_back(0);
  for (unsigned const each : {unsigned{type::kOpt}, unsigned{*asked.payload}, 0U, 0U, 0U}) put16(message, each);
  return message;
}

// A reply in words. Records as in a zone file, with single blanks.
struct Told {
  std::string code;  // NOERROR
  std::string flags;  // "aa tc rd ra", those that are set
  std::vector<std::string> answer, authority, additional;
  std::string question;
  std::optional<unsigned> payload;  // of its EDNS
  std::size_t size = 0;
  unsigned id = 0;
};

inline std::string ldns_text(char* text) {
  std::string out;
  for (char const c : std::string_view(text)) out += c == '\t' ? ' ' : c;
  std::free(text);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

inline std::vector<std::string> ldns_lines(ldns_rr_list const* records) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(records); ++i) lines.push_back(ldns_text(ldns_rr2str(ldns_rr_list_rr(records, i))));
  return lines;
}

inline Told read_reply(Bytes bytes) {
  Told told{.size = bytes.size()};
  ldns_pkt* packet = nullptr;
  auto const status = ldns_wire2pkt(&packet, bytes.data(), bytes.size());
  EXPECT_EQ(status, LDNS_STATUS_OK) << ldns_get_errorstr_by_id(status);
  if (status != LDNS_STATUS_OK) return told;
  auto const rcode = ldns_pkt_get_rcode(packet) | (ldns_pkt_edns_extended_rcode(packet) << 4);
  told.code = rcode == 16 ? "BADVERS" : ldns_text(ldns_pkt_rcode2str(ldns_pkt_get_rcode(packet)));
  EXPECT_TRUE(ldns_pkt_qr(packet));
  for (auto const& [is_set, name] :
       {std::pair{ldns_pkt_aa(packet), "aa"}, {ldns_pkt_tc(packet), "tc"}, {ldns_pkt_rd(packet), "rd"}, {ldns_pkt_ra(packet), "ra"}}) {
    if (is_set) told.flags.append(told.flags.empty() ? "" : " ").append(name);
  }
  told.id = ldns_pkt_id(packet);
  auto const questions = ldns_rr_list_rr_count(ldns_pkt_question(packet));
  if (questions > 0) told.question = ldns_text(ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0))));
  told.answer = ldns_lines(ldns_pkt_answer(packet));
  told.authority = ldns_lines(ldns_pkt_authority(packet));
  told.additional = ldns_lines(ldns_pkt_additional(packet));
  if (ldns_pkt_edns(packet)) told.payload = ldns_pkt_edns_udp_size(packet);
  ldns_pkt_free(packet);
  return told;
}

// ---- directories

inline model::Endpoint endpoint(std::uint64_t instance, std::uint32_t slot, std::string node, std::string address, std::uint16_t port,
                                std::uint16_t target = 80, std::string name = {}, model::Protocol protocol = model::Protocol::Tcp) {
  return {.instance = {instance},
          .slot = slot,
          .node = std::move(node),
          .address = std::move(address),
          .port = port,
          .target = target,
          .name = std::move(name),
          .protocol = protocol};
}

inline void put_service(model::Directory& directory, std::string const& name, std::vector<model::Endpoint> endpoints) {
  directory.services[name] =
      std::make_shared<model::ServiceEntry const>(model::ServiceEntry{.endpoints = std::move(endpoints), .ingress = {}});
}

// Three nodes; `web` has three slots on two of them with two ports each, `db` is not ready, `six` is at an IPv6 address.
inline model::Directory sample_directory() {
  model::Directory directory;
  directory.nodes = {{"n1", "10.0.0.11"}, {"n2", "10.0.0.12"}, {"Big.Example.org", "10.0.0.13"}, {"n6", "fd00::6"}};
  put_service(directory, "web",
              {endpoint(1, 1, "n1", "10.0.0.11", 20000, 80, "http"), endpoint(1, 1, "n1", "10.0.0.11", 20001, 9090, "metrics"),
               endpoint(2, 2, "n2", "10.0.0.12", 20000, 80, "http"), endpoint(2, 2, "n2", "10.0.0.12", 20001, 9090, "metrics"),
               endpoint(3, 3, "n1", "10.0.0.11", 20002, 80, "http"), endpoint(3, 3, "n1", "10.0.0.11", 20003, 9090, "metrics")});
  put_service(directory, "db", {});
  put_service(directory, "my_six", {endpoint(6, 1, "n6", "fd00::6", 20000, 53, "", model::Protocol::Udp)});
  put_service(directory, "odd",
              {endpoint(7, 1, "n1", "192.168.7.1", 8080), endpoint(8, 2, "Big.Example.org", "0.0.0.0", 8081),
               endpoint(9, 3, "gone", "10.0.0.99", 8082), endpoint(10, 4, "n1", "a.name", 8083)});
  return directory;
}

}  // namespace davit::dns
