#include "adapters/dns_server/messages.hpp"

#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace davit::dns_server {
namespace asio = boost::asio;
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

}  // namespace

std::unexpected<Error> broken(boost::system::error_code error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  return fail(Code::Unavailable, error.message());
}

asio::awaitable<Result<dns::Message>> async_read_message(asio::ip::tcp::socket* socket) {
  std::array<std::uint8_t, 2> length{};
  auto const [no_length, got] = co_await asio::async_read(*socket, asio::buffer(length), kAwait);
  if (no_length) co_return broken(no_length);
  dns::Message message(dns::read16(length, 0));
  auto const [cut_off, size] = co_await asio::async_read(*socket, asio::buffer(message), kAwait);
  if (cut_off) co_return broken(cut_off);
  co_return message;
}

asio::awaitable<Result<void>> async_write_message(asio::ip::tcp::socket* socket, dns::Message message) {
  std::array<std::uint8_t, 2> const length{static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
  std::array<asio::const_buffer, 2> const buffers{asio::buffer(length), asio::buffer(message)};
  auto const [failed, size] = co_await asio::async_write(*socket, buffers, kAwait);
  if (failed) co_return broken(failed);
  co_return Result<void>();
}

}  // namespace davit::dns_server
