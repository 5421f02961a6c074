#include "rpc/server.hpp"

#include <thread>
#include <utility>

#include <fmt/core.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "rpc/stream_work.hpp"
#include "rpc/work.hpp"

namespace davit::rpc {
namespace {

// A client that vanished without a word is noticed after the first two together.
constexpr int kKeepaliveMs = 6000;
constexpr int kKeepaliveTimeoutMs = 2000;
constexpr int kClosestPingsMs = 1000;

std::shared_ptr<grpc::ServerCredentials> credentials(std::optional<Tls> const& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls->ca;
  options.pem_key_cert_pairs = {{tls->key, tls->certificate}};
  return grpc::SslServerCredentials(options);
}

// "ipv4:10.0.0.3:41822" is "10.0.0.3:41822" to people.
std::string address_of(std::string const& peer) {
  auto const colon = peer.find(':');
  return colon == std::string::npos ? peer : peer.substr(colon + 1);
}

class ServerStream;

// A service that takes every method. Asks for the next stream as long as the server runs.
class Acceptor final : public Work, public Event {
 public:
  Acceptor(Running& running, Bridge& bridge, grpc::ServerCompletionQueue& queue, grpc::AsyncGenericService& service,
           std::shared_ptr<Server::OnStream> on_stream)
      : running_(running),
        bridge_(bridge),
        queue_(queue),
        service_(service),
        on_stream_(std::move(on_stream)) {}

  void start() {
    running_.add(*this);
    ask();
  }
  void cancel() override {}  // the server's shutdown ends it
  void on_event(bool ok) override;

 private:
  void ask();

  Running& running_;
  Bridge& bridge_;
  grpc::ServerCompletionQueue& queue_;
  grpc::AsyncGenericService& service_;
  std::shared_ptr<Server::OnStream> on_stream_;
  std::shared_ptr<ServerStream> next_;
};

class ServerStream final : public StreamWork {
 public:
  using StreamWork::StreamWork;

  void ask_for(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue, void* tag) {
    service.RequestCall(&context_, &stream_, &queue, &queue, tag);
  }
  void begin_at_client() {
    address_ = address_of(context_.peer());
    begin();
  }

  std::string const& method() const { return context_.method(); }
  std::string const& client() const { return address_; }
  std::string metadata(std::string const& name) const {
    auto const found = context_.client_metadata().find(name);
    return found == context_.client_metadata().end() ? std::string() : std::string(found->second.data(), found->second.size());
  }
  void accept(ConvertMessage convert, std::shared_ptr<StreamUser> user) { open(std::move(convert), std::move(user)); }
  void refuse(Outcome const& outcome) {
    status_ = grpc::Status(static_cast<grpc::StatusCode>(outcome.code), outcome.message);
    finish();
  }

 private:
  void try_cancel() override {
    context_.TryCancel();
    finish_unless_open();
  }
  void read(grpc::ByteBuffer* into, void* tag) override { stream_.Read(into, tag); }
  void write(grpc::ByteBuffer const& bytes, void* tag) override { stream_.Write(bytes, tag); }
  void end(void* tag) override { stream_.Finish(status_, tag); }
  Outcome outcome() const override { return {StatusCode::Cancelled, "the client has gone"}; }

  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  grpc::Status status_;
  std::string address_;
};

class IncomingStream final : public Incoming {
 public:
  explicit IncomingStream(std::shared_ptr<ServerStream> stream) : stream_(std::move(stream)) {}
  IncomingStream(IncomingStream const&) = delete;
  IncomingStream& operator=(IncomingStream const&) = delete;
  ~IncomingStream() override {
    if (stream_) stream_->refuse({StatusCode::Unavailable, "nobody takes this stream"});
  }

  std::string const& method() const override { return stream_->method(); }
  std::string metadata(std::string const& name) const override { return stream_->metadata(name); }
  std::string const& client() const override { return stream_->client(); }
  std::unique_ptr<Stream> accept(ConvertMessage convert, std::function<void(Outcome)> on_end) override {
    auto const stream = std::exchange(stream_, nullptr);
    auto user = std::make_shared<StreamUser>(StreamUser{.on_end = std::move(on_end)});
    auto handle = std::make_unique<StreamHandle>(user, stream);
    stream->accept(std::move(convert), std::move(user));
    return handle;
  }
  void refuse(Outcome outcome) override { std::exchange(stream_, nullptr)->refuse(outcome); }

 private:
  std::shared_ptr<ServerStream> stream_;
};

void Acceptor::ask() {
  next_ = std::make_shared<ServerStream>(running_, bridge_);
  next_->ask_for(service_, queue_, tag());
}

void Acceptor::on_event(bool ok) {
  if (!ok) {
    next_.reset();
    return running_.remove(*this);
  }
  auto const stream = std::exchange(next_, nullptr);
  stream->begin_at_client();
  // Dropped with the task where the server has gone meanwhile, which refuses the stream.
  bridge_.post([on_stream = on_stream_, incoming = std::make_shared<std::unique_ptr<Incoming>>(std::make_unique<IncomingStream>(stream))] {
    (*on_stream)(std::move(*incoming));
  });
  ask();
}

}  // namespace

struct Server::Impl {
  explicit Impl(ports::Loop& loop) : bridge(loop) {}

  Bridge bridge;
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::Server> server;
  std::optional<Running> running;
  std::optional<Acceptor> acceptor;
  int port = 0;
  std::thread thread;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::listen(ports::Loop& loop, std::string const& address, std::optional<Tls> const& tls,
                                               OnStream on_stream) {
  prepare_grpc();
  auto impl = std::make_unique<Impl>(loop);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, credentials(tls), &impl->port);
  builder.RegisterAsyncGenericService(&impl->service);
  builder.SetMaxReceiveMessageSize(kMostUnsent);
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kClosestPingsMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  auto queue = builder.AddCompletionQueue();
  auto& queue_ref = *queue;
  impl->running.emplace(std::move(queue));
  impl->server = builder.BuildAndStart();
  if (!impl->server || impl->port == 0) {
    impl->running->close();
    impl->running->run();
    return fail(Code::Unavailable, fmt::format("cannot listen on {}: is it an address of this machine, and is the port free?", address));
  }
  impl->acceptor.emplace(*impl->running, impl->bridge, queue_ref, impl->service, std::make_shared<OnStream>(std::move(on_stream)));
  impl->acceptor->start();
  impl->thread = std::thread([running = &*impl->running] { running->run(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
  impl_->bridge.close();
  impl_->running->cancel();  // the server waits for its streams
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->running->close();
  impl_->thread.join();
}

std::uint16_t Server::port() const { return static_cast<std::uint16_t>(impl_->port); }

}  // namespace davit::rpc
