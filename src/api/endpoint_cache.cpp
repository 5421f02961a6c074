#include "api/endpoint_cache.hpp"

#include <fmt/core.h>

#include "codec/json.hpp"
#include "core/master/endpoints.hpp"
#include "model/enum_names.hpp"

namespace davit::api {
namespace {

using codec::Value;

Value render(model::Endpoint const& endpoint) {
  auto value = Value::object({{"instance", davit::to_string(endpoint.instance)},
                              {"slot", endpoint.slot},
                              {"node", endpoint.node},
                              {"address", endpoint.address},
                              {"port", endpoint.port},
                              {"target", endpoint.target},
                              {"protocol", model::to_string(endpoint.protocol)}});
  if (!endpoint.name.empty()) value.set("name", endpoint.name);
  return value;
}

}  // namespace

EndpointCache::List const& EndpointCache::of(master::Master const& master, master::Service const& service) {
  if (lists_.size() > master.services().size()) std::erase_if(lists_, [&](auto const& each) { return !master.find_service(each.first); });
  auto& list = lists_[service.head.name];
  if (list.version == service.version && !list.body.empty()) return list;
  Value::Array items;
  for (auto const& endpoint : master::endpoints_of(master, service)) items.push_back(render(endpoint));
  list.version = service.version;
  list.body = codec::dump(Value(std::move(items))) + "\n";
  list.etag = fmt::format("\"{:016x}\"", stable_hash(list.body));
  return list;
}

}  // namespace davit::api
