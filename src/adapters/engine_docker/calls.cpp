#include "adapters/engine_docker/calls.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "adapters/engine_docker/create_body.hpp"
#include "adapters/engine_docker/credentials.hpp"
#include "adapters/engine_docker/engine_errors.hpp"
#include "adapters/engine_docker/engine_json.hpp"
#include "adapters/engine_docker/pull_stream.hpp"
#include "adapters/engine_docker/replies.hpp"
#include "codec/json.hpp"
#include "model/image_reference.hpp"
#include "model/syntax.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

using codec::Value;
using model::EngineReply;

constexpr Duration kShortCall = 60s;
constexpr Duration kPull = 30min;
constexpr Duration kAfterGrace = 30s;  // what killing and cleaning up may take beyond the grace
constexpr Duration kProgressInterval = 250ms;

std::string container_path(std::string const& id, std::string_view what) {
  return fmt::format("/containers/{}{}", http::percent_encode(id), what);
}

// References keep their "/", ":" and "@", which the engine's router wants plain.
std::string image_path(std::string_view reference) {
  std::string out = "/images/";
  for (char const c : reference)
    out += c == '/' || c == ':' || c == '@' ? std::string(1, c) : http::percent_encode(std::string_view(&c, 1));
  return out + "/json";
}

Ask post(std::string path, http::Query query = {}, std::string body = {}) {
  return {"POST", std::move(path), std::move(query), std::move(body), {}};
}

// A whole number of seconds, for the engine waits in nothing smaller; never less than was asked for.
std::string seconds(Duration time) { return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count()); }

Ask pull_ask(model::ImageReference const& reference, RegistryAuth const& auth) {
  // The tag is never left out: the engine would pull all of them. A digest wins over it.
  std::string const tag(reference.digest.value_or(reference.tag.value_or("latest")));
  auto ask = post("/images/create", {{"fromImage", model::repository_of(reference)}, {"tag", tag}});
  if (!auth.header.empty()) ask.headers.add("X-Registry-Auth", auth.header);
  return ask;
}

Error pull_failure(Error error, RegistryAuth const& auth) {
  if (error.field == model::engine_error::kRegistryAuth && !auth.problem.empty())
    error.message += fmt::format(" (no credentials: {})", auth.problem);
  return error;
}

Duration default_time(model::EngineCall const& call) {
  if (auto const* stop = std::get_if<model::StopContainer>(&call)) return stop->grace + kAfterGrace;
  return std::holds_alternative<model::PullImage>(call) ? kPull : kShortCall;
}

}  // namespace

Calls::Calls(runtime::AsioLoop& loop, ApiClient& api, std::filesystem::path docker_config_folder, Progress on_progress,
             ContainerDnsFinder::DnsAt dns_at)
    : loop_(loop),
      api_(api),
      docker_config_folder_(std::move(docker_config_folder)),
      on_progress_(std::move(on_progress)),
      dns_(api, std::move(dns_at)) {}

Calls::Reply Calls::async_perform(model::EngineCall call, Monotonic deadline) {
  if (deadline == kNever) deadline = loop_.now().monotonic + default_time(call);
  co_return co_await std::visit([&](auto& what) { return async_on(std::move(what), deadline); }, call);
}

asio::awaitable<Result<Value>> Calls::async_get(std::string path, http::Query query, Refusal refusal, Monotonic deadline) {
  auto const answer = co_await api_.async_request({"GET", std::move(path), std::move(query), {}, {}}, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (!answer->is_ok()) co_return std::unexpected(refusal(answer->status, answer->message()));
  auto value = parse_engine_json(answer->body);
  if (!value) co_return fail(Code::Internal, "the engine's answer: " + value.error().message);
  co_return std::move(*value);
}

Calls::Reply Calls::async_on(model::InspectImage call, Monotonic deadline) {
  auto const image = co_await async_get(image_path(call.reference), {}, image_error, deadline);
  if (!image) co_return std::unexpected(image.error());
  co_return read_image(*image);
}

Calls::Reply Calls::async_on(model::PullImage call, Monotonic deadline) {
  if (auto const why = model::why_no_image(call.reference))
    co_return fail(Code::Invalid, fmt::format("the image {}: {}", call.reference, *why), std::string(model::engine_error::kBadConfig));
  auto const reference = model::split_image_reference(call.reference);
  auto const registry = model::registry_of(reference);
  auto const auth = co_await async_find_auth(&loop_, docker_config_folder_, registry, deadline);
  auto stream = co_await api_.async_open(pull_ask(reference, auth), deadline);
  // The engine says nothing until the registry has: its silence is the registry's.
  if (!stream && stream.error().code == Code::UnknownOutcome && loop_.now().monotonic >= deadline) {
    co_return fail(Code::Deadline, fmt::format("no answer in time from the registry {}", registry),
                   std::string(model::engine_error::kRegistry));
  }
  if (!stream) co_return std::unexpected(stream.error());
  if (stream->status() != 200) {
    auto const answer = co_await api_.async_read_answer(&*stream, deadline);
    if (!answer) co_return std::unexpected(answer.error());
    co_return std::unexpected(pull_failure(pull_error(answer->status, answer->message()), auth));
  }
  auto pulled = co_await async_follow_pull(&*stream, call.reference, deadline);
  if (!pulled) co_return std::unexpected(pull_failure(pulled.error(), auth));
  // A stream that just ends is no proof.
  auto const image = co_await async_get(image_path(call.reference), {}, image_error, deadline);
  if (!image) co_return std::unexpected(image.error());
  co_return std::move(*pulled);
}

asio::awaitable<Result<model::Pulled>> Calls::async_follow_pull(http::Stream* stream, std::string reference, Monotonic deadline) {
  PullStream pull;
  auto next_progress = Monotonic::min();
  std::int64_t told = -1;
  while (true) {
    auto const bytes = co_await stream->async_read(deadline);
    if (!bytes && bytes.error().code == Code::Deadline) {
      co_return fail(Code::Deadline,
                     fmt::format("the pull of {} did not end in time; its last word was \"{}\"", reference, pull.last_status()),
                     std::string(model::engine_error::kRegistry));
    }
    if (!bytes) co_return std::unexpected(api_.away(bytes.error()));
    if (bytes->empty()) co_return pull.finish();
    pull.push(*bytes);
    auto const now = loop_.now().monotonic;
    if (now < next_progress || pull.done_bytes() == told) continue;
    next_progress = now + kProgressInterval;
    told = pull.done_bytes();
    on_progress_({reference, pull.done_bytes(), pull.total_bytes()});
  }
}

Calls::Reply Calls::async_on(model::CreateContainer call, Monotonic deadline) {
  // The body's shape depends on the version.
  if (!api_.version()) {
    auto const connected = co_await api_.async_connect(deadline);
    if (!connected) co_return std::unexpected(connected.error());
  }
  if (dns_.is_to_be_found()) co_await dns_.async_find(deadline);
  auto body = codec::dump(create_body(call, *api_.version(), dns_.dns()));
  auto const answer = co_await api_.async_request(post("/containers/create", {{"name", call.name}}, std::move(body)), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (!answer->is_ok()) co_return std::unexpected(create_error(answer->status, answer->message()));
  auto const created = parse_engine_json(answer->body);
  if (!created) co_return fail(Code::UnknownOutcome, "the engine's answer: " + created.error().message);
  co_return read_created(*created);
}

Calls::Reply Calls::async_on(model::StartContainer call, Monotonic deadline) {
  auto const answer = co_await api_.async_request(post(container_path(call.id, "/start")), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  bool const runs_already = answer->status == 304;
  if (!answer->is_ok() && !runs_already) co_return std::unexpected(start_error(answer->status, answer->message()));
  co_return model::Acknowledged{};
}

Calls::Reply Calls::async_on(model::StopContainer call, Monotonic deadline) {
  auto const answer = co_await api_.async_request(post(container_path(call.id, "/stop"), {{"t", seconds(call.grace)}}), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  bool const has_ended = answer->status == 304 || answer->status == 404;
  if (!answer->is_ok() && !has_ended) co_return std::unexpected(container_error(answer->status, answer->message()));
  co_return model::Acknowledged{};
}

Calls::Reply Calls::async_on(model::KillContainer call, Monotonic deadline) {
  auto const answer = co_await api_.async_request(post(container_path(call.id, "/kill"), {{"signal", "SIGKILL"}}), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  bool const has_ended = answer->status == 404 || (answer->status == 409 && answer->message().ends_with("is not running"));
  if (!answer->is_ok() && !has_ended) co_return std::unexpected(container_error(answer->status, answer->message()));
  co_return model::Acknowledged{};
}

Calls::Reply Calls::async_on(model::RemoveContainer call, Monotonic deadline) {
  Ask const ask{"DELETE", container_path(call.id, ""), {{"force", "1"}, {"v", "1"}}, {}, {}};
  auto const answer = co_await api_.async_request(ask, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  bool const is_going = answer->status == 404 || (answer->status == 409 && answer->message().ends_with("is already in progress"));
  if (!answer->is_ok() && !is_going) co_return std::unexpected(container_error(answer->status, answer->message()));
  co_return model::Acknowledged{};
}

Calls::Reply Calls::async_on(model::InspectContainer call, Monotonic deadline) {
  auto const container = co_await async_get(container_path(call.id_or_name, "/json"), {}, container_error, deadline);
  if (!container) co_return std::unexpected(container.error());
  co_return read_container(*container);
}

Calls::Reply Calls::async_on(model::ListContainers call, Monotonic deadline) {
  Value::Array labels;
  for (auto const& [key, value] : call.labels) labels.emplace_back(key + "=" + value);
  http::Query query{{"all", "1"}};
  if (!labels.empty()) query.emplace_back("filters", codec::dump(Value::object({{"label", Value(std::move(labels))}})));
  auto const list = co_await async_get("/containers/json", std::move(query), container_error, deadline);
  if (!list) co_return std::unexpected(list.error());
  co_return read_list(*list);
}

Calls::Reply Calls::async_on(model::ReadStats call, Monotonic deadline) {
  // Without one-shot the engine takes two samples a second apart.
  http::Query query{{"stream", "false"}, {"one-shot", "true"}};
  auto const stats = co_await async_get(container_path(call.id, "/stats"), std::move(query), container_error, deadline);
  if (!stats) co_return std::unexpected(stats.error());
  co_return read_stats(*stats);
}

Calls::Reply Calls::async_on(model::ReadEngineInfo, Monotonic deadline) {
  auto const version = co_await async_get("/version", {}, container_error, deadline);
  if (!version) co_return std::unexpected(version.error());
  auto const info = co_await async_get("/info", {}, container_error, deadline);
  if (!info) co_return std::unexpected(info.error());
  co_return read_info(*version, *info, *api_.version());
}

}  // namespace davit::engine_docker
