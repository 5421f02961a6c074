#include "adapters/engine_docker/engine_errors.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include <fmt/format.h>

#include "adapters/engine_docker/engine_json.hpp"
#include "model/engine.hpp"

namespace davit::engine_docker {
namespace {

using namespace model::engine_error;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  auto const begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Error make(Code code, std::string_view field, std::string message) { return Error{code, std::move(message), std::string(field)}; }

// Failures that say nothing about the request, whatever was asked.
Error other_error(int status, std::string message) {
  if (has_any(lower(message), {"no space left on device", "disk quota exceeded"})) return make(Code::Full, "", std::move(message));
  return make(status == 503 ? Code::Unavailable : Code::Internal, "", std::move(message));
}

bool is_port_clash(std::string_view text) {
  return has_any(text, {"port is already allocated", "address already in use", "ports are not available", "failed to bind port",
                        "failed to bind host port"});
}

// What the runtime says of a command, user, mount or device that cannot be; older engines answer some of them with 500.
bool is_bad_config(int status, std::string_view text) {
  return status == 400 || has_any(text, {"executable file not found", "no such file or directory", "exec format error", "permission denied",
                                         "not a directory", "is a directory", "unable to find user", "unable to find group",
                                         "no matching entries in passwd file", "invalid argument", "operation not permitted",
                                         "read-only file system", "error gathering device information"});
}

}  // namespace

std::string clean_message(std::string_view message, int status) {
  auto text = trim(message);
  // Layers of the engine that each put their name in front of what the runtime said.
  for (bool again = true; again;) {
    again = false;
    for (std::string_view const wrapper :
         {"Error response from daemon: ", "failed to create shim task: ", "failed to create task for container: ",
          "OCI runtime create failed: ", "runc create failed: ", "container_linux.go:380: ", "starting container process caused: ",
          "unable to start container process: ", "error during container init: "}) {
      if (!text.starts_with(wrapper)) continue;
      text.remove_prefix(wrapper.size());
      again = true;
    }
  }
  if (text.ends_with(": unknown")) text.remove_suffix(std::string_view(": unknown").size());
  text = trim(text);
  if (!text.empty()) return std::string(text);
  return status == 0 ? "the engine failed without a message" : fmt::format("the engine answered {} without a message", status);
}

std::string message_of_body(std::string_view body, int status) {
  if (auto const value = parse_engine_json(body)) {
    return clean_message(value->at("message").text(), status);
  }
  constexpr std::size_t kTextLimit = 512;  // a proxy's page is no message
  return clean_message(body.substr(0, kTextLimit), status);
}

Error pull_error(int status, std::string message) {
  auto const text = lower(message);
  bool const wants_login =
      has_any(text, {"unauthorized", "no basic auth credentials", "authentication required", "incorrect username or password"});
  // Docker Hub's answer for a name that does not exist, more often a slip of the pen than a private image.
  if (!wants_login && has_any(text, {"repository does not exist or may require"})) {
    return make(Code::NotFound, kNoSuchImage, std::move(message));
  }
  if (wants_login || status == 401 || status == 403 ||
      has_any(text, {"access denied", "denied:", "access to the resource is denied", "403 forbidden"})) {
    return make(Code::Invalid, kRegistryAuth, std::move(message));
  }
  if (has_any(text, {"manifest unknown", "name unknown", "name_unknown", "manifest for ", "no matching manifest",
                     "repository name not known", "tag does not exist", ": not found"}) &&
      !has_any(text, {"failed to do request", "dial tcp"})) {
    return make(Code::NotFound, kNoSuchImage, std::move(message));
  }
  if (status == 400 || has_any(text, {"invalid reference format"})) return make(Code::Invalid, kBadConfig, std::move(message));
  if (has_any(text, {"no space left on device", "disk quota exceeded"})) return make(Code::Full, "", std::move(message));
  if (status == 404) return make(Code::NotFound, kNoSuchImage, std::move(message));
  return make(Code::Unavailable, kRegistry, std::move(message));
}

Error create_error(int status, std::string message) {
  auto const text = lower(message);
  if (status == 409) return make(Code::Exists, kNameInUse, std::move(message));
  if (status == 404 && has_any(text, {"no such image", "does not match the specified platform", "image not found"})) {
    return make(Code::NotFound, kNoSuchImage, std::move(message));
  }
  // A volume driver, a network: what the spec names is not there.
  if (status == 404 || is_bad_config(status, text)) return make(Code::Invalid, kBadConfig, std::move(message));
  return other_error(status, std::move(message));
}

Error start_error(int status, std::string message) {
  auto const text = lower(message);
  if (is_port_clash(text)) return make(Code::Unavailable, kPortInUse, std::move(message));
  if (status == 404 && has_any(text, {"no such container"})) return make(Code::NotFound, kNoSuchContainer, std::move(message));
  if (status == 404 || is_bad_config(status, text)) return make(Code::Invalid, kBadConfig, std::move(message));
  return other_error(status, std::move(message));
}

Error container_error(int status, std::string message) {
  if (status == 404) return make(Code::NotFound, kNoSuchContainer, std::move(message));
  return other_error(status, std::move(message));
}

Error image_error(int status, std::string message) {
  if (status == 404) return make(Code::NotFound, kNoSuchImage, std::move(message));
  if (status == 400) return make(Code::Invalid, kBadConfig, std::move(message));
  return other_error(status, std::move(message));
}

}  // namespace davit::engine_docker
