#include "common/kube/proxy.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <utility>

#include "common/ascii_text.h"
#include "common/kube/server_url.h"
#include "common/percent_text.h"

namespace usbloop::kube {

namespace {

tl::unexpected<Error> wrong_proxy(std::string cause) {
  return make_error(ErrorKind::invalid, "use", "the proxy", std::move(cause),
                    "A proxy looks like http://proxy.example.com:3128 or socks5://127.0.0.1:1080.");
}

Result<> read_login(std::string_view login, Proxy& proxy) {
  constexpr std::size_t kMost = 255;  // RFC 1929
  const auto colon = login.find(':');
  const auto username = percent_decoded(login.substr(0, colon));
  const auto password = percent_decoded(colon == std::string_view::npos ? "" : login.substr(colon + 1));
  if (!username || !password) return wrong_proxy("its user or password has a % without two digits");
  if (username->empty() || username->size() > kMost || password->size() > kMost) {
    return wrong_proxy("its user is empty, or user or password are longer than 255 bytes");
  }
  proxy.username = *username;
  proxy.password = *password;
  return {};
}

/// The first bits of two addresses of one kind are the same.
template <typename Bytes>
bool same_beginning(const Bytes& one, const Bytes& other, unsigned bits) {
  for (std::size_t index = 0; index < one.size() && bits > 0; ++index) {
    const unsigned here = std::min(bits, 8U);
    const auto mask = static_cast<unsigned char>(0xffU << (8U - here));
    if ((one[index] & mask) != (other[index] & mask)) return false;
    bits -= here;
  }
  return true;
}

/// Whether the address `host` is in the network ADDRESS/BITS.
bool in_network(const std::string& entry, const std::string& host) {
  const auto slash = entry.find('/');
  asio::error_code code;
  const auto network = asio::ip::make_address(entry.substr(0, slash), code);
  if (code) return false;
  const auto address = asio::ip::make_address(host, code);
  if (code || address.is_v6() != network.is_v6()) return false;
  unsigned bits = 0;
  const char* const end = entry.data() + entry.size();
  const auto [stop, error] = std::from_chars(entry.data() + slash + 1, end, bits);
  if (error != std::errc() || stop != end || bits > (network.is_v6() ? 128U : 32U)) return false;
  return network.is_v6() ? same_beginning(network.to_v6().to_bytes(), address.to_v6().to_bytes(), bits)
                         : same_beginning(network.to_v4().to_bytes(), address.to_v4().to_bytes(), bits);
}

bool names_host(std::string entry, const std::string& host, std::uint16_t port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string::npos) return in_network(entry, host);
  const auto colon = entry.rfind(':');
  const bool is_ipv6 = std::count(entry.begin(), entry.end(), ':') > 1;
  if (colon != std::string::npos && !is_ipv6) {
    if (entry.substr(colon + 1) != std::to_string(port)) return false;
    entry.resize(colon);
  }
  if (entry.empty()) return false;
  if (entry == host) return true;
  const std::string suffix = entry.front() == '.' ? entry : "." + entry;
  return host.size() > suffix.size() && host.ends_with(suffix);
}

bool is_this_machine(const std::string& host) {
  asio::error_code code;
  const auto address = asio::ip::make_address(host, code);
  return code ? lower_case(host) == "localhost" : address.is_loopback();
}

/// The name and the value of a variable, in capitals or small letters; an empty one counts as unset.
std::pair<std::string, std::string> variable(const std::string& name) {
  for (const auto& spelling : {name, lower_case(name)}) {
    const char* value = std::getenv(spelling.c_str());
    if (value != nullptr && *value != '\0') return {spelling, value};
  }
  return {};
}

}  // namespace

std::string Proxy::url() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return std::string(kind == Kind::socks5 ? "socks5://"
                     : tls                ? "https://"
                                          : "http://") +
         (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Proxy> parse_proxy_url(const std::string& text) {
  constexpr std::uint16_t kSocksPort = 1080;
  Proxy proxy;
  const auto scheme_end = text.find("://");
  // Go takes a value without a scheme for an http proxy.
  const std::string scheme = scheme_end == std::string::npos ? "http" : text.substr(0, scheme_end);
  std::string rest = scheme_end == std::string::npos ? text : text.substr(scheme_end + 3);
  if (scheme == "http" || scheme == "https") {
    proxy.kind = Proxy::Kind::http;
    proxy.tls = scheme == "https";
  } else if (scheme == "socks5" || scheme == "socks5h") {
    proxy.kind = Proxy::Kind::socks5;
  } else {
    return wrong_proxy("it is neither http://, https:// nor socks5://");
  }
  if (const auto at = rest.rfind('@'); at != std::string::npos) {
    if (auto fine = read_login(std::string_view(rest).substr(0, at), proxy); !fine) return tl::unexpected(fine.error());
    rest.erase(0, at + 1);
  }
  const auto place = parse_server_url((proxy.tls ? "https://" : "http://") + rest);
  if (!place) return wrong_proxy(place.error().cause);
  if (!place->path_prefix.empty()) return wrong_proxy("it has a path");
  proxy.host = place->host;
  const bool has_port = rest.find(':', rest.find(']') == std::string::npos ? 0 : rest.find(']')) != std::string::npos;
  proxy.port = has_port || proxy.kind == Proxy::Kind::http ? place->port : kSocksPort;
  return proxy;
}

bool bypasses_proxy(std::string_view list, const std::string& host, std::uint16_t port) {
  const std::string wanted = lower_case(host);
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto entry = trim(list.substr(0, comma));
    if (!entry.empty() && names_host(lower_case(entry), wanted, port)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

Result<Proxy> proxy_of_environment(bool tls, const std::string& host, std::uint16_t port) {
  const auto [name, value] = variable(tls ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (value.empty() || is_this_machine(host) || bypasses_proxy(variable("NO_PROXY").second, host, port)) return Proxy{};
  auto proxy = parse_proxy_url(value);
  if (!proxy) proxy.error().object = "the proxy of " + name;
  return proxy;
}

}  // namespace usbloop::kube
