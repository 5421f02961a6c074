// davit-dns ADDR PORT [SERVICES [INSTANCES]]: the DNS server of a node with a directory that was made up, until SIGTERM.
// Services web-1 to web-SERVICES (default 1000), each with INSTANCES (default 3) on nodes n1 to n250, ports named http; `web` is as web-1.
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <string>

#include "adapters/dns_server/dns_server.hpp"

using namespace davit;

namespace {

constexpr std::uint32_t kNodes = 250;

std::string address_of_node(std::uint32_t node) { return "10.0.0." + std::to_string(node); }

std::shared_ptr<model::ServiceEntry const> make_service(std::uint32_t first, std::uint32_t instances) {
  model::ServiceEntry entry;
  for (std::uint32_t slot = 1; slot <= instances; ++slot) {
    auto const node = (first + slot) % kNodes + 1;
    entry.endpoints.push_back({.instance = {first * 10000ULL + slot},
                               .slot = slot,
                               .node = "n" + std::to_string(node),
                               .address = address_of_node(node),
                               .port = static_cast<std::uint16_t>(20000 + slot % 10000),
                               .target = 80,
                               .name = "http"});
  }
  return std::make_shared<model::ServiceEntry const>(std::move(entry));
}

std::shared_ptr<model::Directory const> make_directory(std::uint32_t services, std::uint32_t instances) {
  auto directory = std::make_shared<model::Directory>();
  for (std::uint32_t node = 1; node <= kNodes; ++node) directory->nodes["n" + std::to_string(node)] = address_of_node(node);
  for (std::uint32_t i = 1; i <= services; ++i) directory->services["web-" + std::to_string(i)] = make_service(i, instances);
  directory->services["web"] = make_service(1, instances);
  return directory;
}

std::uint32_t number(int argc, char** argv, int at, std::uint32_t otherwise) {
  return at < argc ? static_cast<std::uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  auto const address = argc > 2 ? dns::parse_address(argv[1]) : std::nullopt;
  if (!address) {
    std::fputs("usage: davit-dns ADDR PORT [SERVICES [INSTANCES]]\n", stderr);
    return 2;
  }
  runtime::AsioLoop loop;
  loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
  dns_server::DnsServer server({.domain = *dns::Name::parse("davit")});
  auto const port = server.listen(*address, static_cast<std::uint16_t>(number(argc, argv, 2, 0)));
  if (!port) {
    std::fprintf(stderr, "davit-dns: %s\n", port.error().message.c_str());
    return 1;
  }
  server.show(make_directory(number(argc, argv, 3, 1000), number(argc, argv, 4, 3)));
  std::printf("%u\n", unsigned{*port});
  std::fflush(stdout);
  loop.run();
  return 0;
}
