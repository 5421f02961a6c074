// A question on its way to another resolver and back. Hop by hop: what its client says of itself (ids, cookies, sizes) goes no further.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/dns/message.hpp"

namespace davit::dns {

using Message = std::vector<std::uint8_t>;

// `client` is the client's query, from which `query` was read.
Message to_upstream(Bytes client, Query const& query, std::uint16_t id);
// Whether it answers this very question: what else comes to the socket was made by somebody who guesses.
bool is_answer(Bytes received, Bytes sent);
bool is_truncated(Bytes answer);
// Another resolver may know better.
bool is_failure(Bytes answer);
// The answer as it goes to the client, with its own id and question, cut off where it is longer than `limit`.
void to_client(Message& answer, Bytes client, Query const& query, std::size_t limit);
// None of the resolvers has answered.
Message no_answer(Bytes client, Query const& query);

}  // namespace davit::dns
