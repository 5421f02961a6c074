// Runs a small program without blocking the control thread: its input is given, what it prints is the result.
// For docker's credential helpers, which answer within milliseconds or ask a desktop that is not there.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::engine_docker {

// What the program wrote to its standard output until it closed it; its exit status does not matter. The program, and what it
// started, is killed when the coroutine ends in whatever way. Code::NotFound: no such program in $PATH. Code::Deadline.
// Code::Exhausted: more than 64 KiB.
boost::asio::awaitable<Result<std::string>> async_run_helper(runtime::AsioLoop* loop, std::vector<std::string> command, std::string input,
                                                             Monotonic deadline);

}  // namespace davit::engine_docker
