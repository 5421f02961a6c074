// Messages over TCP: each after its length in two bytes. The server's thread; the deadline is the caller's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "base/result.hpp"
#include "core/dns/forwarding.hpp"

namespace davit::dns_server {

// What became of an operation on a socket. Throws operation_aborted on, for then a deadline or a stop speaks.
std::unexpected<Error> broken(boost::system::error_code error);

boost::asio::awaitable<Result<dns::Message>> async_read_message(boost::asio::ip::tcp::socket* socket);
boost::asio::awaitable<Result<void>> async_write_message(boost::asio::ip::tcp::socket* socket, dns::Message message);

}  // namespace davit::dns_server
