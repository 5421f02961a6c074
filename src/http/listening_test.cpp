// Addresses and socket files.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "http/http_harness.hpp"

namespace davit::http {
namespace {

using testing::HasSubstr;

TEST_F(HttpTest, a_taken_port_and_a_bad_address_are_named) {
  start();
  auto const taken = server->listen_tcp("127.0.0.1", port);
  EXPECT_EQ(taken.error().code, Code::Unavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(std::to_string(port)));
  EXPECT_EQ(server->listen_tcp("example", 0).error().code, Code::Invalid);
}

TEST_F(HttpTest, a_socket_file_is_taken_over_only_when_nobody_listens) {
  {
    int const dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::close(dead);
  }
  start();
  struct stat info{};
  ASSERT_EQ(::stat(socket_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  Server other(loop, {});
  auto const refused = other.listen_unix(socket_path, 0600);
  EXPECT_EQ(refused.error().code, Code::Unavailable);
  std::string const file = directory + "/file";
  std::ofstream(file) << "precious";
  EXPECT_FALSE(other.listen_unix(file, 0600));
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

}  // namespace
}  // namespace davit::http
