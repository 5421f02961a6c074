// One connection of a client: TCP, TLS or unix socket behind the same four calls. Internal to http/. Control thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include "http/client.hpp"
#include "http/read_buffer.hpp"
#include "http/url.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::http {

class Wire {
 public:
  explicit Wire(runtime::AsioLoop& loop);
  ~Wire();

  // Errors carry the way out: no such socket, refused, permission, name, certificate.
  boost::asio::awaitable<Status> async_connect(Endpoint endpoint, std::shared_ptr<TlsFiles const> tls);
  // Appends what comes; eof is an error code here.
  boost::asio::awaitable<boost::system::error_code> async_read(ReadBuffer* buffer);
  boost::asio::awaitable<boost::system::error_code> async_write(std::string_view bytes);  // all of them

  bool is_stale() const;  // an idle connection on which something has happened: closed, or bytes that nobody asked for
  void close();           // whatever waits ends with operation_aborted

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace davit::http
