#include "common/kube/server_url.h"

#include <charconv>
#include <string_view>

namespace usbloop::kube {

namespace {

tl::unexpected<Error> wrong(const std::string& text, const std::string& cause) {
  return make_error(ErrorKind::invalid, "use the server URL", "\"" + text + "\"", cause,
                    "A server URL looks like https://127.0.0.1:6443.");
}

/// Bytes that would let a URL smuggle another line into a request head, or that no host name has.
bool has_forbidden_byte(std::string_view text) {
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte <= ' ' || byte >= 0x7f || character == '"' || character == '\\') return true;
  }
  return false;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc{} && end == text.data() + text.size() && port != 0;
}

/// Splits "host:port", "[v6]:port", "host" and "[v6]"; an empty port text means the scheme's own port.
bool split_authority(std::string_view authority, std::string_view& host, std::string_view& port) {
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return false;
    host = authority.substr(1, close - 1);
    const auto rest = authority.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return false;
    port = rest.empty() ? rest : rest.substr(1);
    return true;
  }
  const auto colon = authority.find(':');
  host = authority.substr(0, colon);
  port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
  return port.find(':') == std::string_view::npos;
}

}  // namespace

Result<ServerUrl> parse_server_url(const std::string& text) {
  ServerUrl url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    url.tls = false;
    url.port = 80;
    rest.remove_prefix(7);
  } else {
    return wrong(text, "it does not start with https:// or http://");
  }
  if (has_forbidden_byte(rest)) return wrong(text, "it has a blank or a character that URLs do not have");
  if (rest.find_first_of("?#") != std::string_view::npos)
    return wrong(text, "a query or a fragment has no meaning here");
  const auto slash = rest.find('/');
  const auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) {
    return make_error(ErrorKind::invalid, "use the server URL", "", "it carries a user name or a password",
                      "Put credentials into the users section of the kubeconfig.");
  }
  std::string_view host;
  std::string_view port;
  if (!split_authority(authority, host, port)) return wrong(text, "host and port cannot be told apart");
  if (host.empty()) return wrong(text, "the host is missing");
  if (!port.empty() && !parse_port(port, url.port)) return wrong(text, "the port is not a number from 1 to 65535");
  url.host = std::string(host);
  if (slash != std::string_view::npos) url.path_prefix = std::string(rest.substr(slash));
  while (url.path_prefix.ends_with('/')) url.path_prefix.pop_back();
  return url;
}

}  // namespace usbloop::kube
