// GET /discovery/NAME as bytes: each service's list, made again when the service's version moved. Whoever waits for news of a service looks
// at each event, and most events are of others. Owned by api::Api; control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/master/master.hpp"

namespace davit::api {

class EndpointCache {
 public:
  struct List {
    std::uint64_t version = 0;
    std::string body;
    std::string etag;  // of the content, the same at every master
  };
  List const& of(master::Master const& master, master::Service const& service);
  void forget(std::string const& service) { lists_.erase(service); }

 private:
  std::map<std::string, List> lists_;  // of services that somebody has asked for
};

}  // namespace davit::api
