// The client's TLS against OpenSSL itself, with a certificate made for the test.
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.hpp"
#include "runtime/gate.hpp"

namespace davit::http {
namespace {

namespace asio = boost::asio;

template <auto Free>
struct Freeing {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};

// Writes a self-signed certificate for localhost, and its key.
void make_certificate(std::string const& certificate_file, std::string const& key_file) {
  std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>> const key(EVP_EC_gen("P-256"));
  std::unique_ptr<X509, Freeing<X509_free>> const certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* const names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  std::unique_ptr<FILE, Freeing<std::fclose>> const to_certificate(std::fopen(certificate_file.c_str(), "w"));
  std::unique_ptr<FILE, Freeing<std::fclose>> const to_key(std::fopen(key_file.c_str(), "w"));
  ASSERT_EQ(PEM_write_X509(to_certificate.get(), certificate.get()), 1);
  ASSERT_EQ(PEM_write_PrivateKey(to_key.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
}

// Takes one connection on a thread of its own and answers one request.
class TlsServer {
 public:
  TlsServer(std::string const& certificate_file, std::string const& key_file) : context_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(SSL_CTX_use_certificate_file(context_.get(), certificate_file.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_.get(), key_file.c_str(), SSL_FILETYPE_PEM), 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve_blocking(); });
  }
  ~TlsServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  TlsServer(TlsServer const&) = delete;
  TlsServer& operator=(TlsServer const&) = delete;

  std::uint16_t port = 0;

 private:
  void serve_blocking() {
    int const socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    std::unique_ptr<SSL, Freeing<SSL_free>> const tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), socket);
    std::array<char, 1024> bytes{};
    if (SSL_accept(tls.get()) == 1 && SSL_read(tls.get(), bytes.data(), bytes.size()) > 0) {
      std::string const answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
      SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    }
    ::close(socket);
  }

  std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>> context_;
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::jthread thread_;
};

asio::awaitable<void> keep_response(Client* client, Monotonic deadline, std::optional<Result<Response>>* kept) {
  *kept = co_await client->async_request({}, deadline);
}

struct TlsTest : testing::Test {
  runtime::AsioLoop loop;
  std::string directory = [] {
    std::string name = (std::filesystem::temp_directory_path() / "davit-tls-XXXXXX").string();
    return std::string(::mkdtemp(name.data()));
  }();
  std::string certificate = directory + "/cert.pem";
  std::string key = directory + "/key.pem";
  runtime::Gate gate{loop};

  void SetUp() override { make_certificate(certificate, key); }
  void TearDown() override { std::filesystem::remove_all(directory); }

  Result<Response> ask(std::string const& host, TlsFiles files) {
    TlsServer const server(certificate, key);
    Client client(loop, *parse_endpoint(fmt::format("https://{}:{}", host, server.port)), {.tls = std::move(files)});
    std::optional<Result<Response>> kept;
    runtime::spawn(gate, "ask", keep_response(&client, loop.now().monotonic + 5s, &kept));
    EXPECT_TRUE(loop.run_until([&] { return kept && gate.count() == 0; }, 10s));
    return kept.value_or(fail(Code::Internal, "no answer"));
  }
};

TEST_F(TlsTest, a_certificate_of_a_known_authority_is_trusted) {
  auto const got = ask("localhost", {.ca = certificate});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body.view(), "secret");
}

TEST_F(TlsTest, an_unknown_authority_is_refused_unless_told_otherwise) {
  auto const refused = ask("localhost", {});
  EXPECT_EQ(refused.error().code, Code::Unavailable);
  EXPECT_EQ(refused.error().field, "tls");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("certificate"));
  EXPECT_TRUE(ask("localhost", {.verify = false}));
}

TEST_F(TlsTest, a_certificate_for_another_host_is_refused) { EXPECT_EQ(ask("127.0.0.1", {.ca = certificate}).error().field, "tls"); }

TEST_F(TlsTest, a_missing_file_is_named) {
  auto const got = ask("localhost", {.ca = directory + "/none.pem"});
  EXPECT_EQ(got.error().code, Code::Invalid);
  EXPECT_THAT(got.error().message, testing::HasSubstr("none.pem"));
}

}  // namespace
}  // namespace davit::http
