#include "device-sim/network/network_spec.h"

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/network/network_adapter.h"
#include "device-sim/network/user_network.h"

namespace usbloop::device_sim {
namespace {

/// Numbers with blanks between them.
std::optional<std::vector<std::uint16_t>> read_port_numbers(std::string_view text) {
  constexpr std::size_t kMostPorts = 64;
  std::vector<std::uint16_t> ports;
  while (true) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view digits = text.substr(0, text.find(' '));
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
    ports.push_back(port);
    text.remove_prefix(digits.size());
  }
  if (ports.empty() || ports.size() > kMostPorts) return std::nullopt;
  return ports;
}

Result<network::Reach> read_reach(const DeviceSpec& spec) {
  network::Reach reach;
  if (const std::string* text = option_of(spec, "ports")) {
    auto ports = read_port_numbers(*text);
    if (!ports) {
      return refuse_option(spec, "ports=" + *text + " is no list of ports",
                           "One to 64 numbers from 1 to 65535 with blanks between them: ports='8080 8443'");
    }
    reach.ports = std::move(*ports);
  }
  if (const std::string* text = option_of(spec, "outside")) {
    if (!text->empty()) return refuse_option(spec, "outside takes no value", "Write outside alone.");
    reach.outside = true;
  }
  return reach;
}

Result<> read_adapter(const DeviceSpec& spec, NetworkAdapterOptions& options) {
  if (auto read = read_one_of_speeds(spec, usbredir::Speed::full, usbredir::Speed::high, options.speed); !read)
    return read;
  if (auto read = read_serial_number(spec, options.serial); !read) return read;
  options.mac = network::made_up_mac(options.serial);
  if (const std::string* text = option_of(spec, "mac")) {
    const auto mac = network::parse_mac(*text);
    if (!mac) {
      return refuse_option(spec, "mac=" + *text + " is not the address of an adapter",
                           "Six pairs of hexadecimal digits, the first one even: mac=02:00:5e:10:00:01");
    }
    options.mac = *mac;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Device>> make_network(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  NetworkAdapterOptions options;
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read)
    return tl::unexpected(read.error());
  if (auto read = read_adapter(spec, options); !read) return tl::unexpected(read.error());
  auto reach = read_reach(spec);
  if (!reach) return tl::unexpected(reach.error());
  auto network = network::UserNetwork::start(std::move(*reach));
  if (!network) return tl::unexpected(network.error());
  return std::make_unique<NetworkAdapter>(options, std::move(*network));
}

}  // namespace usbloop::device_sim
