#include "codec/short_forms.hpp"

#include <charconv>
#include <optional>

#include <fmt/core.h>

namespace davit::codec {
namespace {

std::optional<std::int64_t> port_number(std::string_view text) {
  std::int64_t port = 0;
  if (text.starts_with('0')) return std::nullopt;  // octal to some readers
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65'535) return std::nullopt;
  return port;
}

std::unexpected<Error> bad_port(std::string_view text, std::string_view why) {
  return fail(
      Code::Invalid,
      fmt::format("'{}' is not a port: {}; write 80, \"80/udp\", \"8080:80\", \"8080-8089:80\" or \"127.0.0.1:8080:80\"", text, why));
}

Status parse_published(std::string_view whole, std::string_view text, model::PortSpec& port) {
  auto const dash = text.find('-');
  port.published = port_number(text.substr(0, dash));
  if (!port.published) return bad_port(whole, "a published port is a number from 1 to 65535, or two with a dash");
  if (dash == std::string_view::npos) return {};
  port.published_end = port_number(text.substr(dash + 1));
  if (!port.published_end) return bad_port(whole, "a range is two numbers from 1 to 65535 with a dash");
  return {};
}

}  // namespace

Result<model::PortSpec> parse_port(std::string_view text) {
  model::PortSpec port;
  auto rest = text;
  if (auto const slash = rest.rfind('/'); slash != std::string_view::npos) {
    auto const protocol = model::parse_enum<model::Protocol>(rest.substr(slash + 1));
    if (!protocol) return bad_port(text, "the protocol is tcp, udp or sctp");
    port.protocol = *protocol;
    rest = rest.substr(0, slash);
  }
  auto const last_colon = rest.rfind(':');
  auto const target = port_number(rest.substr(last_colon + 1));  // npos + 1 is 0
  if (!target) return bad_port(text, "the container's port is one number from 1 to 65535");
  port.target = *target;
  if (last_colon == std::string_view::npos) return port;

  rest = rest.substr(0, last_colon);
  bool has_address = false;
  if (auto const colon = rest.rfind(':'); colon != std::string_view::npos && !rest.ends_with(']')) {
    auto address = rest.substr(0, colon);
    bool const is_bracketed = address.size() > 2 && address.starts_with('[') && address.ends_with(']');
    if (!is_bracketed && address.find_first_of("[]:") != std::string_view::npos)
      return bad_port(text, "an IPv6 address stands in brackets, as in \"[::1]:8080:80\"");
    port.host_ip = is_bracketed ? address.substr(1, address.size() - 2) : address;
    if (port.host_ip.empty()) return bad_port(text, "the address is missing");
    rest = rest.substr(colon + 1);
    has_address = true;
  }
  if (has_address && rest.empty()) return port;  // "127.0.0.1::80": picked, on that address
  TRY_VOID(parse_published(text, rest, port));
  return port;
}

Result<model::Mount> parse_mount(std::string_view text) {
  auto const bad = [&](std::string_view why) {
    return fail(
        Code::Invalid,
        fmt::format("'{}' is not a mount: {}; write \"name:/path\", \"/on/the/node:/path\", with \":ro\" for read-only", text, why));
  };
  std::vector<std::string_view> parts;
  for (auto rest = text;;) {
    auto const colon = rest.find(':');
    parts.push_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) break;
    rest = rest.substr(colon + 1);
  }
  if (parts.size() > 3) return bad("it has too many colons");
  model::Mount mount;
  if (parts.size() == 3) {
    if (parts[2] != "ro" && parts[2] != "rw") return bad("the last part is ro or rw");
    mount.read_only = parts[2] == "ro";
  }
  mount.target = parts.size() == 1 ? parts[0] : parts[1];
  if (!mount.target.starts_with('/')) return bad("the path in the container must be absolute");
  if (parts.size() == 1) return mount;
  mount.source = parts[0];
  if (mount.source.empty()) return bad("the volume's name is missing");
  if (mount.source[0] == '.' || mount.source[0] == '~')
    return bad("a path on the node must be absolute, because the service may run on any node");
  mount.type = mount.source[0] == '/' ? model::MountType::Bind : model::MountType::Volume;
  return mount;
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    bool const is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (quote == '\0' && is_blank) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'') {
      if (i + 1 == text.size()) return fail(Code::Invalid, "the command ends with a backslash that quotes nothing");
      char const next = text[++i];
      bool const keeps_backslash = quote == '"' && std::string_view("\"\\$`").find(next) == std::string_view::npos;
      if (keeps_backslash) word += c;
      word += next;
    } else {
      word += c;
    }
  }
  if (quote != '\0') return fail(Code::Invalid, fmt::format("the quote {} is not closed; write an array if that is simpler", quote));
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace davit::codec
