#include "core/dns/resolv_conf.hpp"

#include <utility>

namespace davit::dns {
namespace {

constexpr Duration kAvoided = 10s;
constexpr std::string_view kBlanks = " \t\r";

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    auto const start = line.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) return words;
    auto const end = line.find_first_of(kBlanks, start);
    words.emplace_back(line.substr(start, end - start));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

void read_line(std::string_view line, ResolvConf& conf) {
  auto words = words_of(line);
  if (words.size() < 2) return;
  auto const key = words.front();
  words.erase(words.begin());
  if (key == "nameserver") {
    if (auto const address = parse_address(words.front())) conf.resolvers.push_back(*address);
  } else if (key == "search" || key == "domain") {
    conf.search = std::move(words);
  } else if (key == "options") {
    conf.options.insert(conf.options.end(), words.begin(), words.end());
  }
}

}  // namespace

ResolvConf read_resolv_conf(std::string_view text) {
  ResolvConf conf;
  while (!text.empty()) {
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    if (!line.starts_with('#') && !line.starts_with(';')) read_line(line, conf);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return conf;
}

std::vector<Address> Upstreams::in_order(Monotonic now) const {
  std::vector<Address> first, last;
  for (auto const& each : resolvers_) {
    auto const silent = silent_until_.find(each);
    (silent == silent_until_.end() || silent->second <= now ? first : last).push_back(each);
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

void Upstreams::on_silence(Address const& resolver, Monotonic now) { silent_until_[resolver] = now + kAvoided; }

}  // namespace davit::dns
