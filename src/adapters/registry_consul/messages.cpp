#include "adapters/registry_consul/messages.hpp"

#include <map>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/host_port.hpp"
#include "codec/json.hpp"
#include "codec/json_plain.hpp"
#include "codec/value.hpp"
#include "http/url.hpp"

namespace davit::registry_consul {

using codec::Value;
using model::RegistryEntry;

namespace {

constexpr std::size_t kMostQuoted = 200;
// Consul takes a minute at least. One that comes back within it finds its entries where they were.
constexpr char const* kForgottenAfter = "1m";

std::string feed_of(std::string_view id) { return fmt::format("{}:alive", id); }

// Stands with the fed check in the catalog, so that one query finds what Davit keeps for a node: meta cannot be asked for there.
std::string mark_of(std::string_view cluster, std::string_view node) { return fmt::format("davit {} {}", cluster, node); }

std::string meta(RegistryEntry const& entry, std::string_view key) {
  auto const found = entry.meta.find(std::string(key));
  return found == entry.meta.end() ? std::string() : found->second;
}

Value fed_check(RegistryEntry const& entry) {
  return Value::object({{"CheckID", feed_of(entry.id)},
                        {"Name", "davit says that it is ready"},
                        {"Notes", mark_of(meta(entry, model::registry_meta::kCluster), meta(entry, model::registry_meta::kNodeId))},
                        {"TTL", "10s"},
                        {"Status", "passing"},
                        {"DeregisterCriticalServiceAfter", kForgottenAfter}});
}

Value own_check(RegistryEntry const& entry, model::RegistryCheck const& check) {
  auto value = Value::object({{"CheckID", fmt::format("{}:probe", entry.id)},
                              {"Name", check.path ? fmt::format("GET {}", *check.path) : "a connection"},
                              {"Interval", format_duration(check.interval)},
                              {"Timeout", format_duration(check.timeout)},
                              {"Status", "passing"},
                              {"FailuresBeforeCritical", check.retries - 1}});
  if (check.path) value.set("HTTP", fmt::format("http://{}{}", host_port(entry.address, entry.port), *check.path));
  else value.set("TCP", host_port(entry.address, entry.port));
  return value;
}

std::string registration(RegistryEntry const& entry) {
  auto tags = Value::array();
  for (auto const& tag : entry.tags) tags.push(tag);
  auto meta_values = Value::object();
  for (auto const& [key, value] : entry.meta) meta_values.set(key, value);
  auto checks = Value::array(fed_check(entry));
  if (entry.check) checks.push(own_check(entry, *entry.check));
  return codec::dump(Value::object({{"ID", entry.id},
                                    {"Name", entry.service},
                                    {"Tags", std::move(tags)},
                                    {"Meta", std::move(meta_values)},
                                    {"Address", entry.address},
                                    {"Port", entry.port},
                                    {"Checks", std::move(checks)}}));
}

std::string path_of(std::string_view prefix, std::string_view name, http::Query const& query = {}) {
  return fmt::format("{}{}{}", prefix, http::percent_encode(name), http::encode_query(query));
}

http::Request get(std::string target) { return {.method = "GET", .target = std::move(target)}; }
http::Request put(std::string target, std::string body = {}) {
  return {.method = "PUT", .target = std::move(target), .body = std::move(body)};
}

// ---- answers

RegistryEntry entry_of(Value const& service) {
  RegistryEntry entry{.id = std::string(service.at("ID").text()),
                      .service = std::string(service.at("Service").text()),
                      .address = std::string(service.at("Address").text())};
  auto const port = service.at("Port").as_int().value_or(0);
  if (port > 0 && port <= 0xffff) entry.port = static_cast<std::uint16_t>(port);
  for (auto const& tag : service.at("Tags").items()) entry.tags.emplace_back(tag.text());
  for (auto const& [key, value] : service.at("Meta").members()) entry.meta[key] = std::string(value.text());
  return entry;
}

Result<model::RegistryReply> entries_of(Value const& document) {
  model::RegistryEntries entries;
  for (auto const& [id, service] : document.members()) entries.all.push_back(entry_of(service));
  return entries;
}

Result<model::RegistryReply> found_in(Value const& document) {
  model::RegistryEntries entries;
  for (auto const& item : document.items()) {
    auto entry = entry_of(item.at("Service"));
    if (entry.address.empty()) entry.address = std::string(item.at("Node").at("Address").text());
    if (!entry.address.empty() && entry.port != 0) entries.all.push_back(std::move(entry));
  }
  return entries;
}

// Among the checks: those with the mark, and each agent's own by the word of the others.
Result<model::RegistryReply> spread_in(Value const& document, std::string const& mark) {
  std::map<std::string, bool, std::less<>> alive;
  for (auto const& check : document.items()) {
    if (check.at("CheckID").text() == "serfHealth") alive[std::string(check.at("Node").text())] = check.at("Status").text() == "passing";
  }
  model::SpreadEntries entries;
  for (auto const& check : document.items()) {
    if (check.at("Notes").text() != mark) continue;
    auto const host = check.at("Node").text();
    auto const found = alive.find(host);
    entries.all.push_back({std::string(host), std::string(check.at("ServiceID").text()), found != alive.end() && found->second});
  }
  return entries;
}

std::string mark_of(model::FindSpread const& call) { return mark_of(to_string(call.cluster), to_string(call.node)); }

struct Asked {
  http::Request operator()(model::ListEntries const& call) const {
    auto const filter = fmt::format("Meta.{} == \"{}\" and Meta.{} == \"{}\"", model::registry_meta::kCluster, to_string(call.mark.cluster),
                                    model::registry_meta::kNodeId, to_string(call.mark.node));
    return get(path_of("/v1/agent/services", "", {{"filter", filter}}));
  }
  http::Request operator()(model::RegisterEntry const& call) const {
    return put("/v1/agent/service/register?replace-existing-checks=true", registration(call.entry));
  }
  http::Request operator()(model::DeregisterEntry const& call) const { return put(path_of("/v1/agent/service/deregister/", call.id)); }
  http::Request operator()(model::FeedEntry const& call) const { return put(path_of("/v1/agent/check/pass/", feed_of(call.id))); }
  http::Request operator()(model::FindService const& call) const {
    return get(path_of("/v1/health/service/", call.name, {{"passing", "1"}}));
  }
  http::Request operator()(model::FindSpread const& call) const {
    auto const filter = fmt::format("Notes == \"{}\" or CheckID == \"serfHealth\"", mark_of(call));
    return get(path_of("/v1/health/state/any", "", {{"filter", filter}}));
  }
  http::Request operator()(model::EraseSpread const& call) const {
    return put("/v1/catalog/deregister", codec::dump(Value::object({{"Node", call.host}, {"ServiceID", call.id}})));
  }
};

Result<Value> document_of(std::string_view body, std::string const& where) {
  if (auto plain = codec::parse_plain_json(body)) return *std::move(plain);
  auto document = codec::parse_json(body);
  if (document) return document;
  return fail(Code::Unavailable, fmt::format("{} answers with what is not Consul's JSON ({}); is --consul the address of a Consul agent?",
                                             where, document.error().message));
}

// In one line, as far as people want to read it.
std::string quoted(std::string_view body) {
  std::string text;
  for (char const c : body.substr(0, kMostQuoted)) text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  while (text.ends_with(' ')) text.pop_back();
  return text.empty() ? "without a word" : text;
}

bool says_that_it_is_not_there(int status, std::string_view body) {
  if (status != 404 && status != 500) return false;  // by the version
  return body.starts_with("Unknown check") || body.starts_with("Unknown service") || body.contains("does not have associated TTL");
}

Status check_status(http::Request const& request, http::Response const& answer, std::string const& where) {
  auto const body = answer.body.view();
  auto const what = fmt::format("{} {}", request.method, request.target.substr(0, request.target.find('?')));
  if (answer.headers.get("Content-Type").starts_with("text/html")) {
    return fail(Code::Unavailable,
                fmt::format("{} answers {} with a web page ({}); is --consul the address of a Consul agent?", where, what, answer.status));
  }
  if (answer.status == 200) return {};
  if (says_that_it_is_not_there(answer.status, body)) return fail(Code::NotFound, quoted(body));
  if (answer.status == 401 || answer.status == 403) {
    return fail(Code::Invalid,
                fmt::format("Consul refuses it: {}; the token of --consul-token-file needs service:write for davit-master and "
                            "all services, and node:read",
                            quoted(body)));
  }
  if (answer.status == 400) return fail(Code::Invalid, fmt::format("Consul refuses it: {}", quoted(body)));
  // What is wrong may be with this entry alone.
  auto const code = answer.status == 500 ? Code::Internal : Code::Unavailable;
  return fail(code, fmt::format("Consul at {} answers {} with {}: {}", where, what, answer.status, quoted(body)));
}

}  // namespace

http::Request request_of(model::RegistryCall const& call) { return std::visit(Asked{}, call); }

Result<model::RegistryReply> reply_of(model::RegistryCall const& call, http::Response const& answer, std::string const& where) {
  TRY_VOID(check_status(request_of(call), answer, where));
  auto const* spread = std::get_if<model::FindSpread>(&call);
  bool const is_list = std::holds_alternative<model::ListEntries>(call);
  bool const is_search = std::holds_alternative<model::FindService>(call);
  if (!spread && !is_list && !is_search) return model::RegistryDone{};
  TRY(auto const document, document_of(answer.body.view(), where));
  if (is_list ? !document.as_object() : !document.as_array()) {
    return fail(Code::Unavailable,
                fmt::format("{} answers with {} in place of what Consul has there; is --consul the address of a Consul agent?", where,
                            codec::describe(document)));
  }
  if (is_list) return entries_of(document);
  return is_search ? found_in(document) : spread_in(document, mark_of(*spread));
}

}  // namespace davit::registry_consul
