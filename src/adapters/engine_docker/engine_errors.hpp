// What an engine's refusals mean: from a status and a message to an Error that the agent can react to. Pure.
// Statuses of old engines say little (a missing manifest is a 500), so the words of the message decide where they must.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit::engine_docker {

// The engine's own words without its wrappers; never empty.
std::string clean_message(std::string_view message, int status);
// From the body of an error answer: {"message": "…"}, or plain text.
std::string message_of_body(std::string_view body, int status);

// Each takes a cleaned message. `status` is 0 where the error came inside of a 200 stream.
Error pull_error(int status, std::string message);
Error create_error(int status, std::string message);
Error start_error(int status, std::string message);
Error container_error(int status, std::string message);  // stop, kill, remove, inspect, logs, stats
Error image_error(int status, std::string message);      // inspect

}  // namespace davit::engine_docker
