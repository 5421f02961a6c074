// One write from its command to its answer. Control thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "api/call.hpp"
#include "api/request_options.hpp"
#include "core/service/command.hpp"

namespace davit::api {

// With the author, the request's id and fingerprint filled in.
service::Command command_of(Call const& call, WriteOptions const& options, std::string service, service::CommandBody body);

// The generation that the command must meet, so that If-Match holds; `now` is null when there is no such service.
std::optional<std::uint64_t> generation_to_meet(IfMatch const& if_match, model::Head const* now);

// The outcome when the journal has it. Code::Deadline: it may be carried out all the same.
boost::asio::awaitable<Result<master::Applied>> async_apply(Call call, service::Command command);

// The answer to what was applied, after ?wait=.
boost::asio::awaitable<http::Response> async_answer_write(Call call, WriteOptions options, std::string service,
                                                          Result<master::Applied> applied);

// All of it: a dry run, or the command and its answer.
boost::asio::awaitable<http::Response> async_carry_out(Call call, WriteOptions options, service::Command command);

http::Response answer_dry_run(Call const& call, WriteOptions const& options, service::Command const& command);

}  // namespace davit::api
