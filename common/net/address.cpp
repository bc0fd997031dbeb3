#include "common/net/address.h"

#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace usbloop::net {
namespace {

auto no_address(const std::string& text, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, "use", "the address " + text, std::move(cause), std::move(hint));
}

}  // namespace

std::string Address::text() const {
  if (is_unix()) return "unix:" + path;
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Address> parse_address(const std::string& text) {
  constexpr std::string_view kUnixPrefix = "unix:";
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    address.path = text.substr(kUnixPrefix.size());
    if (address.path.empty()) return no_address(text, "the path is missing");
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return no_address(text, "it is not HOST:PORT", "For example 127.0.0.1:4000 or unix:/tmp/slot.sock");
  }
  address.host = text.substr(0, colon);
  const bool bracketed = address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
  if (bracketed) address.host = address.host.substr(1, address.host.size() - 2);
  if (!bracketed && address.host.find(':') != std::string::npos) {
    return no_address(text, "an IPv6 address needs brackets", "For example [::1]:4000");
  }
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end) {
    return no_address(text, "'" + text.substr(colon + 1) + "' is not a port");
  }
  return address;
}

}  // namespace usbloop::net
