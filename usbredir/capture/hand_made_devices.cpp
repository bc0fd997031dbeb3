#include <algorithm>

#include "usbredir/capture/test_support.h"
#include "usbredir/host_end.h"

// Devices of which there is none in device-sim, as sessions.
namespace usbloop::capture::test {
namespace {

constexpr std::uint8_t kGetDescriptor = 6;
constexpr std::uint8_t kInterfaceEndpoint = 0x81;

std::vector<std::byte> device_descriptor(int class_code, int subclass, int protocol, int vendor, int product) {
  return bytes({18, 1, 0x00, 0x02, class_code, subclass, protocol, 64, vendor & 0xff, vendor >> 8, product & 0xff,
                product >> 8, 0x00, 0x01, 0, 0, 0, 1});
}

/// What a guest asks before it chooses a configuration (usb.md section 1).
void enumerate(HandMadeSession& session, std::span<const std::byte> device, std::span<const std::byte> configuration) {
  session.guest.send_reset();
  session.exchange();
  session.control_in(0x80, kGetDescriptor, 0x0100, 0, 64, device);
  session.guest.send_reset();
  session.exchange();
  session.control_in(0x80, kGetDescriptor, 0x0100, 0, 18, device);
  session.control_in(0x80, kGetDescriptor, 0x0200, 0, 9, configuration);
  session.control_in(0x80, kGetDescriptor, 0x0200, 0, static_cast<std::uint16_t>(configuration.size()), configuration);
  session.set_configuration(1);
}

std::vector<std::byte> camera_configuration() {
  // Association; control interface: header, camera, output; streaming interface: header, YUY2, 320x240; settings 0, 1.
  auto all = bytes({9,    2,    0,    0,    2,    1,    0,    0x80, 250,  8,    11,   0,
                    2,    14,   3,    0,    0,                          //
                    9,    4,    0,    0,    0,    14,   1,    0,    0,  //
                    13,   0x24, 1,    0x00, 0x01, 40,   0,    0x80, 0x8d, 0x5b, 0x00, 1,
                    1,  //
                    18,   0x24, 2,    1,    0x01, 0x02, 0,    0,    0,    0,    0,    0,
                    0,    0,    3,    0,    0,    0,                    //
                    9,    0x24, 3,    2,    0x01, 0x01, 0,    1,    0,  //
                    9,    4,    1,    0,    0,    14,   2,    0,    0,  //
                    14,   0x24, 1,    1,    71,   0,    0x81, 0,    2,    0,    0,    0,
                    1,    0,  //
                    27,   0x24, 4,    1,    1,    'Y',  'U',  'Y',  '2',  0,    0,    0x10,
                    0,    0x80, 0,    0,    0xaa, 0,    0x38, 0x9b, 0x71,  //
                    16,   1,    0,    0,    0,    0,                       //
                    30,   0x24, 5,    1,    0,    0x40, 1,    240,  0,    0,    0,    0,
                    1,    0,    0,    0,    1,    0,    0x58, 2,    0,  //
                    0x15, 0x16, 5,    0,    1,    0x15, 0x16, 5,    0,  //
                    9,    4,    1,    1,    1,    14,   2,    0,    0,    7,    5,    kInterfaceEndpoint,
                    5,    0x00, 0x04, 1});
  all[2] = static_cast<std::byte>(all.size() & 0xff);
  all[3] = static_cast<std::byte>(all.size() >> 8);
  return all;
}

void send_frames(HandMadeSession& session, int frames) {
  constexpr int kPacketsOfFrame = 20;
  std::uint64_t id = 0;
  for (int packet = 0; packet < frames * kPacketsOfFrame; ++packet) {
    std::vector<std::byte> data(packet % 4 == 3 ? 2 : 800 + static_cast<std::size_t>(packet), std::byte{0x55});
    const bool is_last = packet % kPacketsOfFrame == kPacketsOfFrame - 1;
    data[0] = std::byte{2};
    data[1] = static_cast<std::byte>(0x80 | (packet / kPacketsOfFrame & 1) | (is_last ? 2 : 0));
    session.host.send(id++, usb_redir_iso_packet_header{kInterfaceEndpoint, 0, static_cast<std::uint16_t>(data.size())},
                      data);
    session.exchange();
  }
}

}  // namespace

void play_keyboard(HandMadeSession& session) {
  const auto device = device_descriptor(0, 0, 0, 0x046d, 0xc31c);
  const auto report =
      bytes({0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01,
             0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01,
             0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06,
             0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0});
  const auto configuration = bytes({9,    2,
                                    34,   0,
                                    1,    1,
                                    0,    0xa0,
                                    49,   9,
                                    4,    0,
                                    0,    1,
                                    3,    1,
                                    1,    0,
                                    9,    0x21,
                                    0x10, 0x01,
                                    0,    1,
                                    0x22, static_cast<int>(report.size()),
                                    0,    7,
                                    5,    kInterfaceEndpoint,
                                    3,    8,
                                    0,    10});
  session.plug_in(usbredir::Speed::low, configuration);
  enumerate(session, device, configuration);
  session.control_out(0x21, 0x0a, 0, 0, {});  // SET_IDLE
  session.control_in(0x81, kGetDescriptor, 0x2200, 0, static_cast<std::uint16_t>(report.size()), report);
  session.control_out(0x21, 0x09, 0x0200, 0, bytes({1}));  // SET_REPORT: the LED
  const auto start = session.next_id();
  session.guest.send(start, usb_redir_start_interrupt_receiving_header{kInterfaceEndpoint});
  session.exchange();
  session.host.send(start, usb_redir_interrupt_receiving_status_header{usb_redir_success, kInterfaceEndpoint});
  session.exchange();
  for (const int key : {4, 0, 5, 0}) {
    const auto keys = bytes({0, 0, key, 0, 0, 0, 0, 0});
    session.host.send(0, usb_redir_interrupt_packet_header{kInterfaceEndpoint, 0, 8}, keys);
    session.exchange();
  }
  session.guest.send(session.next_id(), usb_redir_stop_interrupt_receiving_header{kInterfaceEndpoint});
  session.exchange();
  session.translator.end();
}

void play_camera(HandMadeSession& session) {
  const auto device = device_descriptor(0xef, 2, 1, 0x13d3, 0x5406);
  const auto configuration = camera_configuration();
  const auto probe = bytes({1, 0, 1, 1, 0x15, 0x16, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x58, 2, 0, 0, 4, 0, 0});
  session.plug_in(usbredir::Speed::high, configuration);
  enumerate(session, device, configuration);
  session.control_out(0x21, 1, 0x0100, 1, probe);
  session.control_in(0xa1, 0x81, 0x0100, 1, 26, probe);
  session.control_out(0x21, 1, 0x0200, 1, probe);
  session.announce_setting(configuration, 1, 1);
  session.set_alt_setting(1, 1);
  const auto start = session.next_id();
  session.guest.send(start, usb_redir_start_iso_stream_header{kInterfaceEndpoint, 16, 3});
  session.exchange();
  session.host.send(start, usb_redir_iso_stream_status_header{usb_redir_success, kInterfaceEndpoint});
  session.exchange();
  send_frames(session, 3);
  session.guest.send(session.next_id(), usb_redir_stop_iso_stream_header{kInterfaceEndpoint});
  session.exchange();
  session.set_alt_setting(1, 0);
  session.translator.end();
}

}  // namespace usbloop::capture::test
