#include "usbredir/descriptors.h"

#include <doctest/doctest.h>

#include <cstdint>

#include "usbredir/endpoint_table.h"

using namespace usbloop;
using namespace usbloop::usbredir;
namespace type = usbloop::usbredir::descriptor_type;

namespace {

/// A webcam's shape: interface 0, and interface 1 with an empty setting 0 and an iso endpoint in setting 1.
std::vector<std::byte> webcam() {
  DescriptorWriter writer;
  writer.begin(type::kConfiguration).u16(0).u8(2).u8(1).u8(0).u8(0x80).u8(50);
  writer.begin(11).u8(0).u8(2).u8(14).u8(3).u8(0).u8(0);  // interface association: passed over
  writer.begin(type::kInterface).u8(0).u8(0).u8(1).u8(14).u8(1).u8(0).u8(0);
  writer.begin(type::kEndpoint).u8(0x83).u8(3).u16(16).u8(8);
  writer.begin(type::kInterface).u8(1).u8(0).u8(0).u8(14).u8(2).u8(0).u8(0);
  writer.begin(type::kInterface).u8(1).u8(1).u8(1).u8(14).u8(2).u8(0).u8(0);
  writer.begin(type::kEndpoint).u8(0x81).u8(5).u16(0x1400).u8(1);  // 3 x 1024
  return writer.finish(2);
}

std::string refusal(const std::vector<std::byte>& bytes) {
  const auto result = parse_configuration(bytes);
  return result ? "" : result.error().cause;
}

}  // namespace

TEST_CASE("a configuration is read with its settings and endpoints") {
  const auto configuration = parse_configuration(webcam());
  REQUIRE(configuration);
  CHECK(configuration->value == 1);
  REQUIRE(configuration->settings.size() == 3);
  const AltSetting* streaming = configuration->find(1, 1);
  REQUIRE(streaming != nullptr);
  CHECK(streaming->endpoints.at(0).max_packet_size == 3072);
  CHECK(streaming->endpoints.at(0).type == TransferType::iso);
  CHECK(configuration->find(1, 2) == nullptr);
}

TEST_CASE("ep_info and interface_info follow the alternate settings") {
  const auto configuration = parse_configuration(webcam());
  REQUIRE(configuration);
  EndpointTable table(*configuration);
  constexpr auto kIsoIn = EndpointTable::index(0x81);
  CHECK(kIsoIn == 17);
  auto info = table.ep_info();
  CHECK(info.type[0] == usb_redir_type_control);
  CHECK(info.type[16] == usb_redir_type_control);
  CHECK(info.type[kIsoIn] == usb_redir_type_invalid);
  CHECK(info.type[EndpointTable::index(0x83)] == usb_redir_type_interrupt);
  CHECK(table.endpoint(0x81) == nullptr);

  CHECK(table.select(1, 1));
  CHECK_FALSE(table.select(1, 2));
  CHECK_FALSE(table.select(9, 0));
  CHECK(table.alternate(1) == 1);
  CHECK_FALSE(table.alternate(2));
  info = table.ep_info();
  CHECK(info.type[kIsoIn] == usb_redir_type_iso);
  CHECK(info.interval[kIsoIn] == 1);
  CHECK(info.interface[kIsoIn] == 1);
  CHECK(int{info.max_packet_size[kIsoIn]} == 3072);
  const auto interfaces = table.interface_info();
  CHECK(interfaces.interface_count == 2);
  CHECK(interfaces.interface_class[1] == 14);
  CHECK(interfaces.interface_subclass[1] == 2);
}

TEST_CASE("an unconfigured device has endpoint zero and no interface") {
  EndpointTable table;
  CHECK(table.ep_info().type[0] == usb_redir_type_control);
  CHECK(table.interface_info().interface_count == 0);
  CHECK_FALSE(table.select(0, 0));
}

TEST_CASE("a periodic endpoint with interval zero is told as interval one, which QEMU insists on") {
  DescriptorWriter writer;
  writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
  writer.begin(type::kInterface).u8(0).u8(0).u8(1).u8(3).u8(1).u8(1).u8(0);
  writer.begin(type::kEndpoint).u8(0x81).u8(3).u16(8).u8(0);
  const auto configuration = parse_configuration(writer.finish(2));
  REQUIRE(configuration);
  CHECK(EndpointTable(*configuration).ep_info().interval[17] == 1);
}

TEST_CASE("a configuration cut at any byte is refused") {
  const auto whole = webcam();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(parse_configuration(cut));
    if (size < 9) continue;
    cut[2] = static_cast<std::byte>(size);  // even when its total length is made to agree, unless between descriptors
    const auto result = parse_configuration(cut);
    CHECK((!result || result->settings.size() <= 3));
  }
}

TEST_CASE("descriptors that lie about themselves are refused") {
  auto bytes = webcam();
  SUBCASE("a length of zero would never end") {
    bytes[9] = std::byte{0};
    CHECK(refusal(bytes) == "a descriptor is cut");
  }
  SUBCASE("a length beyond the end") {
    bytes[bytes.size() - 7] = std::byte{8};
    CHECK(refusal(bytes) == "a descriptor is cut");
  }
  SUBCASE("a short interface descriptor") {
    DescriptorWriter writer;
    writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
    writer.begin(type::kInterface).u8(0).u8(0);
    CHECK(refusal(writer.finish(2)) == "an interface descriptor of 4 bytes");
  }
  SUBCASE("a short endpoint descriptor") {
    DescriptorWriter writer;
    writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
    writer.begin(type::kInterface).u8(0).u8(0).u8(1).u8(3).u8(1).u8(1).u8(0);
    writer.begin(type::kEndpoint).u8(0x81);
    CHECK(refusal(writer.finish(2)) == "an endpoint descriptor of 3 bytes");
  }
  SUBCASE("an endpoint outside of any interface") {
    DescriptorWriter writer;
    writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
    writer.begin(type::kEndpoint).u8(0x81).u8(2).u16(512).u8(0);
    CHECK(refusal(writer.finish(2)) == "an endpoint before the first interface");
  }
  SUBCASE("not a configuration") {
    bytes[1] = std::byte{1};
    CHECK(refusal(bytes) == "it is not a configuration descriptor");
  }
  SUBCASE("a total length above what came") {
    bytes[3] = std::byte{0xff};
    CHECK(refusal(bytes).find("a total length of") == 0);
  }
}

TEST_CASE("interfaces, settings and endpoints beyond what USB allows are refused") {
  const auto with = [](auto&& add) {
    DescriptorWriter writer;
    writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
    add(writer);
    return refusal(writer.finish(2));
  };
  const auto interface = [](DescriptorWriter& writer, std::uint8_t number, std::uint8_t alternate) {
    writer.begin(type::kInterface).u8(number).u8(alternate).u8(1).u8(3).u8(1).u8(1).u8(0);
  };
  CHECK(with([&](auto& writer) { interface(writer, 32, 0); }) == "interface number 32");
  CHECK(with([&](auto& writer) {
          interface(writer, 1, 4);
          interface(writer, 1, 4);
        }) == "alternate setting 4 of interface 1 twice");
  CHECK(with([&](auto& writer) {
          for (int i = 0; i < 257; ++i)
            interface(writer, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i));
        }) == "too many alternate settings");
  CHECK(with([&](auto& writer) {
          interface(writer, 0, 0);
          for (int i = 0; i < 31; ++i) writer.begin(type::kEndpoint).u8(0x81).u8(2).u16(512).u8(0);
        }) == "too many endpoints in one interface");
  for (const std::uint8_t address : std::vector<std::uint8_t>{0x00, 0x80, 0x11, 0x71}) {
    CHECK(with([&](auto& writer) {
            interface(writer, 0, 0);
            writer.begin(type::kEndpoint).u8(address).u8(2).u16(512).u8(0);
          }).find("endpoint address") == 0);
  }
}

TEST_CASE("companions say how many bulk streams an endpoint can have, and nonsense says none") {
  const auto streams_of = [](std::uint8_t attributes, std::uint8_t transfer) {
    DescriptorWriter writer;
    writer.begin(type::kConfiguration).u16(0).u8(1).u8(1).u8(0).u8(0x80).u8(50);
    writer.begin(type::kSuperspeedCompanion).u8(0).u8(4).u16(0);  // of no endpoint
    writer.begin(type::kInterface).u8(0).u8(0).u8(1).u8(8).u8(6).u8(98).u8(0);
    writer.begin(type::kSuperspeedCompanion).u8(0).u8(4).u16(0);  // of no endpoint
    writer.begin(type::kEndpoint).u8(0x83).u8(transfer).u16(1024).u8(0);
    writer.begin(type::kSuperspeedCompanion).u8(15).u8(attributes).u16(0);
    const auto configuration = parse_configuration(writer.finish(2));
    REQUIRE(configuration);
    const EndpointTable table(*configuration);
    CHECK(std::uint32_t{table.ep_info().max_streams[19]} == configuration->settings[0].endpoints[0].max_streams);
    return configuration->settings[0].endpoints[0].max_streams;
  };
  CHECK(streams_of(0, 2) == 0);
  CHECK(streams_of(4, 2) == 16);
  CHECK(streams_of(16, 2) == 65536);
  CHECK(streams_of(17, 2) == 0);
  CHECK(streams_of(0xff, 2) == 0);
  CHECK(streams_of(4, 3) == 0);  // an interrupt endpoint has none
}
