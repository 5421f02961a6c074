// An agent's end: a stream to every master, and the logs that they ask for. Owned by the app; control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/link_grpc/dialler.hpp"
#include "adapters/link_grpc/handshake.hpp"
#include "ports/engine.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "rpc/client.hpp"

namespace davit::link_grpc {

class MasterLink final : public ports::MasterLink {
 public:
  struct Options {
    std::vector<std::string> join;        // "host:port" of masters that are always tried
    std::vector<std::string> remembered;  // of masters as they were told last; tried until others are told
    std::function<void(std::vector<std::string> const&)> on_told;
    std::optional<rpc::Tls> tls;
    std::function<Caller()> caller;  // this agent as it is now
    std::function<void(std::string)> on_refused;
  };
  MasterLink(ports::Loop& loop, ports::Engine& engine, Options options);
  ~MasterLink() override;

  void start();
  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId master, model::ToMaster message) override;
  void keep_connected(std::vector<model::MasterAddress> masters) override;

 private:
  class LogSender;

  void connect(std::vector<std::string> others);
  void on_message(NodeId master, FromMaster message);
  void send_logs(NodeId master, WantLogs const& wanted);

  ports::Loop& loop_;
  ports::Engine& engine_;
  Options options_;
  Handlers handlers_;
  Wire wire_;
  rpc::Client client_;
  Dialler<FromMaster> dialler_;
  std::map<std::uint64_t, std::unique_ptr<LogSender>> senders_;
  std::uint64_t next_sender_ = 1;
};

}  // namespace davit::link_grpc
