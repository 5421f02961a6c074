#include "adapters/ingress/ingress_proxy.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>

#include "adapters/ingress/listening.hpp"
#include "runtime/log.hpp"

namespace davit::ingress {
namespace {

constexpr std::size_t kMostThreads = 4;
constexpr std::size_t kFilesPerConnection = 4;

bool has_ingress(model::Directory const& directory) {
  return std::ranges::any_of(directory.services, [](auto const& each) { return !each.second->ingress.empty(); });
}

std::string problem_of(Port port, Error const& error, std::string const& taken_by) {
  if (error.code == Code::Invalid) {
    return fmt::format("{}: davit may not listen there; run it as root, or allow it with sysctl net.ipv4.ip_unprivileged_port_start={}",
                       error.message, port.number);
  }
  if (error.code != Code::Exists) return error.message;
  if (!taken_by.empty())
    return fmt::format("it was picked for instance {} before: move the service's ingress port out of the nodes' --port-range", taken_by);
  auto const holder = holder_of_blocking(port);
  return fmt::format("{} has it: stop that, or give the service another port", holder.empty() ? "another program" : holder);
}

}  // namespace

Limits limits_of_process() {
  rlimit files{};
  Limits limits;
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return limits;
  limits.connections = std::min<std::size_t>(limits.connections, files.rlim_cur / 2 / kFilesPerConnection);
  limits.per_port = std::min(limits.per_port, limits.connections);
  return limits;
}

IngressProxy::IngressProxy(Options options) : options_(std::move(options)) {}

void IngressProxy::show(std::shared_ptr<model::Directory const> directory) {
  std::lock_guard const lock(mutex_);
  if (is_stopped_) return;
  directory_ = std::move(directory);
  if (!keeper_.joinable()) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before);
    keeper_ = std::thread([this] { keep(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  news_.notify_one();
}

void IngressProxy::stop() {
  {
    std::lock_guard const lock(mutex_);
    is_stopped_ = true;
    news_.notify_one();
  }
  if (keeper_.joinable()) keeper_.join();
}

std::vector<IngressProxy::PortState> IngressProxy::ports() const {
  std::lock_guard const lock(mutex_);
  return states_;
}

void IngressProxy::keep() {
  for (;;) {
    std::shared_ptr<model::Directory const> directory;
    {
      std::unique_lock lock(mutex_);
      auto const has_news = [this] { return is_stopped_ || directory_; };
      bool const is_waiting = std::ranges::any_of(open_, [](auto const& each) { return !each.second.is_listening; });
      if (is_waiting) news_.wait_for(lock, kLookAgain, has_news);
      else news_.wait(lock, has_news);
      if (is_stopped_) break;
      directory = std::exchange(directory_, nullptr);
    }
    if (directory) carry_out(*directory);
    else retry();
    publish_states();
  }
  for (auto const& worker : workers_) worker->stop();
  workers_.clear();
}

void IngressProxy::carry_out(model::Directory const& directory) {
  if (workers_.empty() && !has_ingress(directory)) return;
  auto const wanted = listeners_of(directory, options_.node);
  for (auto each = open_.begin(); each != open_.end();) {
    auto const found = wanted.find(each->first);
    bool const stays = found != wanted.end() && found->second.service == each->second.route->service();
    if (!stays) close(each->second);
    each = stays ? std::next(each) : open_.erase(each);
  }
  for (auto const& [port, listener] : wanted) {
    auto& open = open_[port];
    if (!open.route) open.route = make_route(port, listener.service);
    open.taken_by = listener.taken_by;
    if (open.backends != listener.backends) set_backends(open, listener.backends);
  }
  retry();  // after all routes: to find out who has a port may take a second
}

std::shared_ptr<Route> IngressProxy::make_route(Port port, std::string const& service) {
  if (port.protocol != model::Protocol::Udp) return std::make_shared<Route>(port, service, options_.limits, connections_);
  return std::make_shared<Route>(port, service, options_.limits.of_datagrams(), datagram_clients_);
}

// Those whose address is not found are looked for again with the next directory.
void IngressProxy::set_backends(Open& open, std::vector<Backend> const& wanted) {
  std::vector<Target> targets;
  std::string not_found;
  for (auto const& backend : wanted) {
    auto const address = find_address_blocking(backend.address, backend.port);
    if (address) targets.push_back({backend, *address});
    else not_found = address.error().message;
  }
  open.route->set(targets);
  open.backends.clear();
  for (auto const& target : targets) open.backends.push_back(target.backend);
  if (!not_found.empty() && not_found != open.not_found) {
    runtime::logger("ingress").warn("port {} of service {} does not reach all instances: {}; let --advertise of their nodes be an address",
                                    to_string(open.route->port()), open.route->service(), not_found);
  }
  open.not_found = std::move(not_found);
}

void IngressProxy::retry() {
  for (auto& [port, open] : open_) try_to_listen(open);
}

// Told once for each reason, and when it is over.
void IngressProxy::try_to_listen(Open& open) {
  auto const now = std::chrono::steady_clock::now();
  if (open.is_listening || now < open.try_at) return;
  auto const port = open.route->port();
  auto& log = runtime::logger("ingress");
  auto socket = listen_on(port);
  if (!socket) {
    auto problem = problem_of(port, socket.error(), open.taken_by);
    if (problem != open.problem)
      log.warn("port {} of service {} cannot be opened on this node, and is tried again: {}", to_string(port), open.route->service(),
               problem);
    open.problem = std::move(problem);
    open.try_at = now + kTryAgain;
    return;
  }
  if (workers_.empty()) begin_workers();
  bool const is_tcp = port.protocol == model::Protocol::Tcp;
  for (std::size_t i = is_tcp ? 1 : workers_.size(); i < workers_.size(); ++i) {
    if (runtime::Fd same(::fcntl(socket->get(), F_DUPFD_CLOEXEC, 0)); same) workers_[i]->listen(open.route, std::move(same));
  }
  workers_.front()->listen(open.route, *std::move(socket));
  log.info("port {} is open on this node for service {}", to_string(port), open.route->service());
  open.is_listening = true;
  open.problem.clear();
}

void IngressProxy::begin_workers() {
  auto const threads =
      options_.threads > 0 ? options_.threads : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
  for (std::size_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>());
  std::vector<Worker*> all;
  for (auto const& worker : workers_) all.push_back(worker.get());
  for (auto const& worker : workers_) worker->meet(all);
}

void IngressProxy::close(Open const& open) {
  if (!open.is_listening) return;
  for (auto const& worker : workers_) worker->close_blocking(open.route->port());
  runtime::logger("ingress").info("port {} of service {} is closed; the connections that it has go on", to_string(open.route->port()),
                                  open.route->service());
}

void IngressProxy::publish_states() {
  std::vector<PortState> states;
  for (auto const& [port, open] : open_) states.push_back({port, open.route->service(), open.is_listening ? "" : open.problem});
  std::lock_guard const lock(mutex_);
  states_ = std::move(states);
}

}  // namespace davit::ingress
