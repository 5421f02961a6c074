#include "api/list_cache.hpp"

#include <fmt/core.h>

#include "api/render_service.hpp"
#include "codec/json.hpp"

namespace davit::api {

// Both maps are in the order of their names, so one walk over the two is enough.
void ListCache::refresh(master::Master const& master) {
  if (std::exchange(version_, master.version()) == master.version()) return;
  all_ = nullptr;
  auto at = fragments_.begin();
  for (auto const& [name, service] : master.services()) {
    if (!service.exists()) continue;
    while (at != fragments_.end() && at->first < name) at = fragments_.erase(at);
    if (at == fragments_.end() || at->first != name) at = fragments_.emplace_hint(at, name, Fragment{});
    auto& fragment = at->second;
    if (fragment.json.empty() || fragment.version != service.version) fragment = {service.version, codec::dump(render_entry(service))};
    ++at;
  }
  fragments_.erase(at, fragments_.end());
}

std::shared_ptr<std::string const> ListCache::all(master::Master const& master) {
  refresh(master);
  if (all_) return all_;
  std::size_t size = 3;
  for (auto const& [name, fragment] : fragments_) size += fragment.json.size() + 1;
  std::string list;
  list.reserve(size);
  for (auto const& [name, fragment] : fragments_) (list += list.empty() ? '[' : ',') += fragment.json;
  list += list.empty() ? "[]\n" : "]\n";
  all_ = std::make_shared<std::string const>(std::move(list));
  return all_;
}

ListCache::Page ListCache::page(master::Master const& master, std::string_view after, std::size_t limit) {
  refresh(master);
  Page page;
  auto at = fragments_.upper_bound(after);
  for (std::string const* last = nullptr; at != fragments_.end(); ++at) {
    if (limit-- == 0) {
      page.last = last ? *last : std::string{};
      break;
    }
    (page.body += page.body.empty() ? '[' : ',') += at->second.json;
    last = &at->first;
  }
  page.body += page.body.empty() ? "[]\n" : "]\n";
  return page;
}

std::string ListCache::etag(master::Master const& master) const { return fmt::format("W/\"{:x}.{}\"", boot_, master.version()); }

}  // namespace davit::api
