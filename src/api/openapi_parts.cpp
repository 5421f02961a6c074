#include "api/openapi_parts.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/core.h>

#include "api/openapi_schemas.hpp"
#include "api/problem.hpp"
#include "base/check.hpp"

namespace davit::api {
namespace {

using codec::Value;

struct Header {
  std::string_view name;
  std::string_view doc;
};
constexpr Header kHeaders[] = {
    {"ETag", "The generation, in quotes; of a list, a weak tag."},
    {"Location", "The path of what was made."},
    {"Link", "`<…>; rel=\"next\"`: more entries are there."},
    {"Retry-After", "Seconds after which asking again may help."},
    {"Allow", "The methods that the path takes."},
    {"WWW-Authenticate", "How to show who asks."},
    {"Davit-Revision", "The store's revision that has the change."},
    {"Davit-Service-Revision",
     "The `revision` that the change made or kept; the answer shows a later one if that was rolled back meanwhile."},
    {"Davit-Event-Id", "Of the newest event that the answer has in it: /events?since_id= goes on from there."},
    {"Idempotency-Replayed", "true: the request had been carried out before."},
};

Value parameter(std::string_view in, std::string_view name, std::string_view doc, Value schema) {
  auto rendered = Value::object({{"name", name}, {"in", in}, {"description", doc}});
  if (in == "path") rendered.set("required", true);
  return rendered.set("schema", std::move(schema));
}
Value integer(std::int64_t least, std::int64_t most) { return Value::object({{"type", "integer"}, {"minimum", least}, {"maximum", most}}); }
Value text_like(std::string_view pattern) { return Value::object({{"type", "string"}, {"pattern", pattern}}); }
Value any_text() { return text_like("^[^\\u0000]*$"); }
Value flag() { return Value::object({{"enum", Value::array("true", "false", "1", "0", "")}}); }

constexpr std::string_view kWaitPattern = "^(?:1h|[0-5]?[0-9]m(?:[0-5]?[0-9]s)?|[0-9]{1,3}s|[0-9]{1,5}ms)$";
constexpr std::string_view kSincePattern =
    "^(?:[0-9]{1,4}(?:d|h|m|s|ms)|20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-"
    "9]{1,9})?Z)$";
constexpr std::string_view kTagPattern = "^(?:\\*|(?:W/)?\"[!#-+.-~-]*\"(?:, ?(?:W/)?\"[!#-+.-~-]*\")*)$";

void add_query_parameters(Value& all) {
  auto const add = [&](std::string_view name, std::string_view doc, Value schema) {
    all.set(name, parameter("query", name, doc, std::move(schema)));
  };
  add("limit", "At most so many entries; the Link header leads to the next ones.", integer(1, 1000));
  add("after", "Entries after the one of this name.", any_text());
  add("wait", "Answers once the service has settled, or after so long (at most 1h); \"30s\".", text_like(kWaitPattern));
  add("dry_run", "Says what the write would lead to, and does nothing.", flag());
  add("max_moves", "At most so many instances; 10 if it is absent.", integer(1, 1000));
  add("defaults", "The spec in the answer also shows what is at its default.", flag());
  add("replace", "The body is the whole spec, not a patch.", flag());
  add("follow", "Goes on with what is printed from now on.", flag());
  add("tail", "Only so many of the last lines of each instance, or all.", text_like("^(?:all|[0-9]{1,9})$"));
  add("since", "Only lines from this time on: \"10m\" ago, or RFC 3339.", text_like(kSincePattern));
  add("stream", "Only one of the two.", Value::object({{"enum", Value::array("stdout", "stderr")}}));
  add("slot", "Only the instances of this slot.", integer(1, UINT32_MAX));
  add("previous", "Of each instance the container before the present one; not with follow.", flag());
  add("service", "Only events of this service; may be given several times, as the other filters.", any_text());
  add("node", "Only events on this node.", any_text());
  add("type", "Only events whose type begins so: instance.running, or instance.", any_text());
  add("since_id", "Resumes after the event of this id.", any_text());
  add("last_event_id", "The same, by its other name.", any_text());
  all.set("one_service", parameter("query", "service", "Only this one.", any_text()));
  all.set("after_instance", parameter("query", "after", "Entries after this one, as a Link header gives it.",
                                      text_like("^(?:[0-9]{1,8}\\.[0-9a-hjkmnp-tv-z]{12})?$")));
}

}  // namespace

Value openapi_parameters() {
  auto all = Value::object({{"name", parameter("path", "name", "The service.", service_name_schema())},
                            {"node_name", parameter("path", "name", "The node's name or id.", text_like("^[^/\\u0000]+$"))}});
  add_query_parameters(all);
  auto const add = [&](std::string_view name, std::string_view doc, Value schema) {
    all.set(name, parameter("header", name, doc, std::move(schema)));
  };
  add("If-Match", "The ETag that the service must have: the write is refused with 412 if somebody was faster.", text_like(kTagPattern));
  add("If-None-Match", "The ETag of an answer that the client has.", Value::object({{"type", "string"}}));
  add("Idempotency-Key", "Of the client's making: the same request with the same key is carried out once.", text_like("^[!-~]{1,256}$"));
  add("Davit-Revision",
      "As an answer to a write gave it: the answer waits for that write; a server that has not seen it within two seconds says 503.",
      integer(0, INT64_MAX));
  add("Last-Event-ID", "Resumes after the event of this id; browsers send it by themselves.", text_like("^[ -~]*$"));
  return all;
}

Value openapi_header(std::string_view name) {
  auto const known = std::ranges::find(kHeaders, name, &Header::name);
  CHECK(known != std::end(kHeaders), "no header {}", name);
  return Value::object({{"description", known->doc}, {"schema", Value::object({{"type", "string"}})}});
}

Value openapi_headers() {
  Value all = Value::object();
  for (auto const& header : kHeaders) all.set(header.name, openapi_header(header.name));
  return all;
}

Value openapi_responses() {
  std::map<std::string, std::string> titles;
  for (auto const& kind : all_problem_kinds()) {
    auto& text = titles[std::to_string(kind.status)];
    text += fmt::format("{}{} (`{}`)", text.empty() ? "" : "; ", kind.title, kind.code);
  }
  Value all = Value::object();
  for (auto const& [status, title] : titles) {
    auto const content = Value::object(
        {{"application/problem+json", Value::object({{"schema", Value::object({{"$ref", "#/components/schemas/Problem"}})}})}});
    auto response = Value::object({{"description", title + "."}, {"content", content}});
    auto const with_header = [&](std::string_view name) {
      response.set("headers", Value::object({{name, Value::object({{"$ref", fmt::format("#/components/headers/{}", name)}})}}));
    };
    if (status == "503" || status == "409") with_header("Retry-After");
    if (status == "405") with_header("Allow");
    if (status == "401") with_header("WWW-Authenticate");
    all.set(status, std::move(response));
  }
  return all;
}

}  // namespace davit::api
