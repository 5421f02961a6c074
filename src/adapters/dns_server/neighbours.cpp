#include "adapters/dns_server/neighbours.hpp"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <vector>

#include "adapters/dns_server/sockets.hpp"

namespace davit::dns_server {
namespace {

using Interfaces = std::unique_ptr<ifaddrs, decltype(&freeifaddrs)>;

Interfaces read_interfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) first = nullptr;
  return {first, freeifaddrs};
}

bool has_ip(ifaddrs const& interface) {
  return interface.ifa_addr && (interface.ifa_addr->sa_family == AF_INET || interface.ifa_addr->sa_family == AF_INET6);
}

dns::Address read_address(sockaddr const* from) {
  sockaddr_storage storage{};
  std::copy_n(reinterpret_cast<char const*>(from), from->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in),
              reinterpret_cast<char*>(&storage));
  return address_of(storage);
}

unsigned bits_of(sockaddr const* mask) {
  unsigned bits = 0;
  for (auto const octet : read_address(mask).octets()) bits += static_cast<unsigned>(std::popcount(octet));
  return bits;
}

// ---- network links: by netlink, for /sys may show those of another namespace

struct Link {
  unsigned index = 0;
  unsigned bridge = 0;  // whose port it is
  std::string kind;     // "bridge", "veth"; empty: a network card
};

template <class Each>
void for_each_attribute(rtattr* first, std::size_t size, Each const& each) {
  auto left = static_cast<int>(size);
  for (auto* attribute = first; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
    each(attribute->rta_type & NLA_TYPE_MASK, static_cast<void*>(RTA_DATA(attribute)), RTA_PAYLOAD(attribute));
}

Link read_link(nlmsghdr& message) {
  auto* const info = static_cast<ifinfomsg*>(NLMSG_DATA(&message));
  Link link{.index = static_cast<unsigned>(info->ifi_index)};
  for_each_attribute(IFLA_RTA(info), IFLA_PAYLOAD(&message), [&](int type, void* data, std::size_t size) {
    if (type == IFLA_MASTER && size == sizeof link.bridge) std::memcpy(&link.bridge, data, size);
    if (type != IFLA_LINKINFO) return;
    for_each_attribute(static_cast<rtattr*>(data), size, [&](int of_info, void* text, std::size_t length) {
      if (of_info == IFLA_INFO_KIND) link.kind.assign(static_cast<char const*>(text), strnlen(static_cast<char const*>(text), length));
    });
  });
  return link;
}

// None where the kernel does not tell.
std::vector<Link> read_links() {
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
  std::vector<Link> links;
  runtime::Fd const socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (send(socket.get(), &request, sizeof request, 0) < 0) return links;
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  while (true) {
    auto const received = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (received <= 0) return links;
    auto left = static_cast<unsigned>(received);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type != RTM_NEWLINK) return links;
      links.push_back(read_link(*message));
    }
  }
}

bool is_container_bridge(std::vector<Link> const& links, unsigned index) {
  auto const is_bridge = [&](Link const& link) { return link.index == index && link.kind == "bridge"; };
  auto const leads_elsewhere = [&](Link const& link) { return link.bridge == index && link.kind != "veth"; };
  return std::ranges::any_of(links, is_bridge) && std::ranges::none_of(links, leads_elsewhere);
}

}  // namespace

dns::Neighbourhood read_neighbourhood() {
  dns::Neighbourhood around;
  auto const links = read_links();
  auto const interfaces = read_interfaces();
  for (auto const* each = interfaces.get(); each; each = each->ifa_next) {
    if (!has_ip(*each)) continue;
    auto const address = read_address(each->ifa_addr);
    around.own.push_back(address);
    bool const is_everywhere = address.is_link_local();  // also on networks that lead to other machines
    if (each->ifa_netmask && !is_everywhere && is_container_bridge(links, if_nametoindex(each->ifa_name)))
      around.bridges.push_back({address, bits_of(each->ifa_netmask)});
  }
  return around;
}

std::optional<dns::Address> address_of_interface(std::string const& name) {
  auto const interfaces = read_interfaces();
  for (auto const* each = interfaces.get(); each; each = each->ifa_next) {
    if (each->ifa_name == name && has_ip(*each) && each->ifa_addr->sa_family == AF_INET) return read_address(each->ifa_addr);
  }
  return std::nullopt;
}

}  // namespace davit::dns_server
