// How much may go on at once, in all and for one client, so that one alone cannot take everything. One thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include "core/dns/address.hpp"

namespace davit::dns_server {

class Quota {
 public:
  Quota(std::size_t most, std::size_t most_of_one) : most_(most), most_of_one_(most_of_one) {}
  Quota(Quota const&) = delete;
  Quota& operator=(Quota const&) = delete;

  // Counts until it is destroyed.
  class Ticket {
   public:
    Ticket(Quota& quota, dns::Address client) : quota_(&quota), client_(client) {}
    Ticket(Ticket&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)), client_(other.client_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (quota_) quota_->give_back(client_);
    }

   private:
    Quota* quota_;
    dns::Address client_;
  };

  // Nothing: it is used up.
  std::optional<Ticket> take(dns::Address const& client) {
    auto& of_one = of_one_[client];
    if (all_ >= most_ || of_one >= most_of_one_) {
      if (of_one == 0) of_one_.erase(client);
      return std::nullopt;
    }
    ++all_;
    ++of_one;
    return std::make_optional<Ticket>(*this, client);
  }
  std::size_t count() const { return all_; }

 private:
  void give_back(dns::Address const& client) {
    --all_;
    auto const of_one = of_one_.find(client);
    if (--of_one->second == 0) of_one_.erase(of_one);
  }

  std::size_t const most_;
  std::size_t const most_of_one_;
  std::size_t all_ = 0;
  std::map<dns::Address, std::size_t> of_one_;
};

}  // namespace davit::dns_server
