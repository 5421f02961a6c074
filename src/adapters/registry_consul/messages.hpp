// What is asked of Consul over HTTP, and what its answers say. Consul's own words: https://developer.hashicorp.com/consul/api-docs
#pragma once

#include <string>

#include "base/result.hpp"
#include "http/message.hpp"
#include "model/registry.hpp"

namespace davit::registry_consul {

http::Request request_of(model::RegistryCall const& call);

// `where`: Consul's address, for messages. Errors as ports/registry.hpp says.
Result<model::RegistryReply> reply_of(model::RegistryCall const& call, http::Response const& answer, std::string const& where);

}  // namespace davit::registry_consul
