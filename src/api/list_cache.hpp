// GET /services as bytes: one fragment per service, made again when the service's version moved, and the whole list, made
// again when any did. Owned by api::Api; control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/master/master.hpp"

namespace davit::api {

class ListCache {
 public:
  // `boot` tells this life of the process from others, in which versions begin anew.
  explicit ListCache(std::uint64_t boot) : boot_(boot) {}

  std::shared_ptr<std::string const> all(master::Master const& master);

  struct Page {
    std::string body;
    std::string last;  // the name of its last entry, if more follow
  };
  Page page(master::Master const& master, std::string_view after, std::size_t limit);

  std::string etag(master::Master const& master) const;  // weak

 private:
  struct Fragment {
    std::uint64_t version = 0;
    std::string json;
  };
  void refresh(master::Master const& master);

  std::uint64_t boot_;
  std::uint64_t version_ = 0;  // of the master, when the fragments were made
  std::map<std::string, Fragment, std::less<>> fragments_;
  std::shared_ptr<std::string const> all_;
};

}  // namespace davit::api
