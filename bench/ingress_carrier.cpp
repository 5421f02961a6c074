// The ingress alone, for bench/ingress.py: carries a port of this machine to others of it, until it is told to end.
//   davit_ingress_carrier PORT BACKEND_PORT…
#include <chrono>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>

#include <fmt/core.h>
#include <signal.h>

#include "adapters/ingress/ingress_proxy.hpp"

int main(int count, char** words) {
  using namespace davit;
  auto const arguments = std::span(words, static_cast<std::size_t>(count)).subspan(1);
  if (arguments.size() < 2) return 2;
  auto const port = [&](std::size_t i) { return static_cast<std::uint16_t>(std::atoi(arguments[i])); };
  auto entry = std::make_shared<model::ServiceEntry>();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    entry->endpoints.push_back(
        {.instance = {i}, .slot = static_cast<std::uint32_t>(i), .node = "n1", .address = "127.0.0.1", .port = port(i), .target = 80});
  }
  entry->ingress.push_back({.published = port(0), .target = 80});
  auto directory = std::make_shared<model::Directory>();
  directory->services["web"] = std::move(entry);

  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  ingress::IngressProxy proxy({.node = "n1", .limits = ingress::limits_of_process()});
  proxy.show(std::move(directory));
  while (proxy.ports().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  auto const state = proxy.ports().front();
  fmt::print("{}\n", state.problem.empty() ? "listens" : state.problem);
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&ends, &signal);
  return 0;
}
