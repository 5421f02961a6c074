#include "rpc/client.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "rpc/stream_work.hpp"
#include "rpc/work.hpp"

namespace davit::rpc {
namespace {

// A server that vanished without a word is noticed after the first two together. etcd takes pings closer than 5 s apart for an attack.
constexpr int kKeepaliveMs = 6000;
constexpr int kKeepaliveTimeoutMs = 2000;
constexpr int kConnectTimeoutMs = 1000;
constexpr int kFirstBackoffMs = 100;
constexpr int kLongestBackoffMs = 1000;

grpc::ChannelArguments arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestBackoffMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // who calls knows what may be sent twice
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> credentials(std::optional<Tls> const& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({.pem_root_certs = tls->ca, .pem_private_key = tls->key, .pem_cert_chain = tls->certificate});
}

Outcome to_outcome(grpc::Status const& status) { return {static_cast<StatusCode>(status.error_code()), status.error_message()}; }

void prepare(grpc::ClientContext& context, Metadata const& metadata) {
  for (auto const& [key, value] : metadata) context.AddMetadata(key, value);
}

class UnaryCall final : public Work, public Event {
 public:
  UnaryCall(Running& running, Bridge& bridge, Client::ConvertReply convert)
      : running_(running),
        bridge_(bridge),
        convert_(std::move(convert)) {}

  // Once begun it may be over, and gone, at any moment.
  void start(grpc::GenericStub& stub, Call const& call) {
    prepare(context_, call.metadata);
    if (call.deadline != kNever)
      context_.set_deadline(gpr_time_from_nanos(std::max<std::int64_t>((call.deadline - bridge_.now()).count(), 0), GPR_TIMESPAN));
    running_.add(*this);
    reader_ = stub.PrepareUnaryCall(&context_, call.method, to_buffer(call.request), &running_.queue());
    reader_->StartCall();
    reader_->Finish(&reply_, &status_, tag());
  }

  void cancel() override { context_.TryCancel(); }

  void on_event(bool) override {
    std::unique_ptr<UnaryCall> const self(this);
    bridge_.post(convert_(to_outcome(status_), status_.ok() ? to_bytes(reply_) : std::string()));
    running_.remove(*this);
  }

 private:
  Running& running_;
  Bridge& bridge_;
  Client::ConvertReply convert_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
};

class ClientStream final : public StreamWork {
 public:
  using StreamWork::StreamWork;

  void start(grpc::GenericStub& stub, std::string const& method, Metadata const& metadata, ConvertMessage convert,
             std::shared_ptr<StreamUser> user) {
    convert_ = std::move(convert);
    user_ = std::move(user);
    prepare(context_, metadata);
    begin();
    stream_ = stub.PrepareCall(&context_, method, &running_.queue());
    stream_->StartCall(started_.tag());
  }

 private:
  void try_cancel() override { context_.TryCancel(); }
  void read(grpc::ByteBuffer* into, void* tag) override { stream_->Read(into, tag); }
  void write(grpc::ByteBuffer const& bytes, void* tag) override { stream_->Write(bytes, tag); }
  void end(void* tag) override { stream_->Finish(&status_, tag); }
  Outcome outcome() const override { return to_outcome(status_); }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
  grpc::Status status_;
};

// Asks gRPC for each change of a channel's state, and to connect again when it sleeps.
class Connection final : public Work, public Event {
 public:
  Connection(Running& running, Bridge& bridge, std::shared_ptr<grpc::Channel> channel, std::function<void(bool)> on_change)
      : running_(running),
        bridge_(bridge),
        user_(std::make_shared<User>(User{std::move(on_change)})),
        channel_(std::move(channel)),
        stub_(channel_) {}

  void start() {
    running_.add(*this);
    on_event(true);
  }
  grpc::GenericStub& stub() { return *stub_; }
  void forget() {
    user_->is_there = false;
    cancel();
  }

  // The wait ends with the channel, and that with the last call over it.
  void cancel() override {
    std::lock_guard const lock(mutex_);
    stub_.reset();
    channel_.reset();
  }

  void on_event(bool) override {
    if (!wait()) running_.remove(*this);
  }

 private:
  struct User {
    std::function<void(bool)> on_change;
    bool is_there = true;  // the control thread's
  };

  bool wait() {
    std::lock_guard const lock(mutex_);
    if (!channel_) return false;
    auto const state = channel_->GetState(true);
    if (bool const is_there = state == GRPC_CHANNEL_READY; is_there != was_there_) {
      was_there_ = is_there;
      bridge_.post([user = user_, is_there] {
        if (user->is_there) user->on_change(is_there);
      });
    }
    channel_->NotifyOnStateChange(state, gpr_inf_future(GPR_CLOCK_MONOTONIC), &running_.queue(), tag());
    return true;
  }

  Running& running_;
  Bridge& bridge_;
  std::shared_ptr<User> user_;
  std::mutex mutex_;  // of the rest
  std::shared_ptr<grpc::Channel> channel_;
  std::optional<grpc::GenericStub> stub_;
  bool was_there_ = false;
};

}  // namespace

struct Client::Impl {
  explicit Impl(ports::Loop& loop) : bridge(loop) {}

  Bridge bridge;
  Running running{std::make_unique<grpc::CompletionQueue>()};
  std::map<Client::ConnectionId, std::unique_ptr<Connection>> connections;
  Client::ConnectionId next_connection = 0;
  std::thread thread{[this] { running.run(); }};  // last: runs only while all of the above lives
};

Client::Client(ports::Loop& loop) : impl_((prepare_grpc(), std::make_unique<Impl>(loop))) {}

Client::~Client() {
  impl_->bridge.close();
  impl_->running.close();
  impl_->thread.join();
}

Client::ConnectionId Client::connect(std::string const& address, std::optional<Tls> const& tls, std::function<void(bool)> on_change) {
  auto channel = grpc::CreateCustomChannel(address, credentials(tls), arguments());
  auto const id = impl_->next_connection++;
  auto& connection = impl_->connections[id];
  connection = std::make_unique<Connection>(impl_->running, impl_->bridge, std::move(channel), std::move(on_change));
  connection->start();
  return id;
}

void Client::disconnect(ConnectionId connection) { impl_->connections.at(connection)->forget(); }

void Client::call(ConnectionId connection, Call call, ConvertReply convert) {
  // Deletes itself.
  auto* const unary = new UnaryCall(impl_->running, impl_->bridge, std::move(convert));
  unary->start(impl_->connections.at(connection)->stub(), call);
}

std::unique_ptr<Stream> Client::open(ConnectionId connection, std::string const& method, Metadata const& metadata, ConvertMessage convert,
                                     std::function<void(Outcome)> on_end) {
  auto user = std::make_shared<StreamUser>(StreamUser{.on_end = std::move(on_end)});
  auto const stream = std::make_shared<ClientStream>(impl_->running, impl_->bridge);
  stream->start(impl_->connections.at(connection)->stub(), method, metadata, std::move(convert), user);
  return std::make_unique<StreamHandle>(std::move(user), stream);
}

}  // namespace davit::rpc
