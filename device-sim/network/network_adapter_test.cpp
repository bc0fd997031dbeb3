#include "device-sim/network/network_adapter.h"

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <set>
#include <string>

#include "device-sim/emulation/device_rig.h"
#include "device-sim/network/network_double.h"
#include "device-sim/network/test_packets.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::NetworkDouble;
using device_sim::test::Reply;
using network::Frame;

namespace {

constexpr std::uint8_t kFromAdapter = 0xa1, kToAdapter = 0x21;
const network::MacAddress kMac = {2, 0, 0, 0, 0, 1};

struct AdapterRig {
  explicit AdapterRig(usbredir::Speed speed = usbredir::Speed::high, std::string serial = "N1") {
    NetworkAdapterOptions options;
    options.speed = speed;
    options.serial = std::move(serial);
    options.mac = kMac;
    auto cable = std::make_unique<NetworkDouble>();
    network = cable.get();
    rig = std::make_unique<DeviceRig>(std::make_unique<NetworkAdapter>(options, std::move(cable)));
    rig->configure();
  }

  void open() { select(1); }
  void select(std::uint8_t alternate) {
    rig->guest.parser.send(++rig->id, usb_redir_set_alt_setting_header{1, alternate});
    CHECK(int{rig->reply().status} == usb_redir_success);
    rig->guest.replies.clear();
  }

  std::vector<Reply> write(const Frame& data) { return rig->bulk_out(NetworkAdapter::kOut, data); }
  std::vector<Reply> ask(std::size_t size) { return rig->bulk_in(NetworkAdapter::kIn, size); }
  std::vector<Reply> answers() { return rig->answers(); }
  /// A frame has come in.
  void deliver(Frame frame) {
    network->for_guest.push_back(std::move(frame));
    rig->host->serve_waiting();
  }
  Reply set_filter(std::uint16_t bits) { return rig->control_out(kToAdapter, 0x43, bits, 0); }
  std::uint32_t statistic(std::uint16_t number) {
    const auto reply = rig->control_in(kFromAdapter, 0x44, number, 0, 4);
    REQUIRE(reply.data.size() == 4);
    std::uint32_t value = 0;
    for (std::size_t at = 4; at-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(reply.data[at]);
    return value;
  }

  NetworkDouble* network = nullptr;
  std::unique_ptr<DeviceRig> rig;
};

/// `size` bytes to the guest or to a group, with a payload that has no pattern.
Frame frame_to(const network::MacAddress& to, std::size_t size) {
  static std::mt19937 random(20);
  Frame frame(size);
  for (auto& byte : frame) byte = static_cast<std::byte>(random());
  for (std::size_t at = 0; at < to.size(); ++at) frame[at] = std::byte{to.at(at)};
  return frame;
}

Frame part_of(const Frame& frame, std::size_t at, std::size_t size) {
  const auto part = std::span(frame).subspan(at, size);
  return {part.begin(), part.end()};
}

Frame octets_of(std::initializer_list<unsigned> values) {
  Frame bytes;
  network::test::put(bytes, values);
  return bytes;
}

}  // namespace

TEST_CASE("a network adapter shows its interfaces, and no data endpoints until it is opened") {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    AdapterRig adapter(speed);
    const auto& guest = adapter.rig->guest;
    const bool is_high = speed == usbredir::Speed::high;
    CHECK(int{guest.connect.speed} == static_cast<int>(speed));
    CHECK(int{guest.connect.device_class} == 2);
    CHECK(std::uint32_t{guest.interfaces.interface_count} == 2);
    CHECK(int{guest.interfaces.interface_class[0]} == 2);
    CHECK(int{guest.interfaces.interface_subclass[0]} == 6);
    CHECK(int{guest.interfaces.interface_class[1]} == 10);
    CHECK(int{guest.endpoints.type[16 + 3]} == usb_redir_type_interrupt);
    CHECK(int{guest.endpoints.type[16 + 1]} == usb_redir_type_invalid);
    CHECK(int{adapter.ask(100).at(0).status} == usb_redir_inval);
    adapter.open();
    CHECK(int{guest.endpoints.type[16 + 1]} == usb_redir_type_bulk);
    CHECK(int{guest.endpoints.type[2]} == usb_redir_type_bulk);
    CHECK(guest.endpoints.max_packet_size[2] == (is_high ? 512 : 64));
  }
}

TEST_CASE("the guest's address stands in a string, behind the serial number or behind none") {
  for (const char* serial : {"N1", ""}) {
    AdapterRig adapter(usbredir::Speed::high, serial);
    const auto descriptors = adapter.rig->control_in(0x80, 6, 0x0200, 0, 255).data;
    // The Ethernet descriptor: 13 bytes, class interface, subtype 15, the string's number.
    const auto head = octets_of({13, 0x24, 15});
    const auto found = std::search(descriptors.begin(), descriptors.end(), head.begin(), head.end());
    REQUIRE(found != descriptors.end());
    CHECK(part_of(descriptors, static_cast<std::size_t>(found - descriptors.begin()) + 8, 2) ==
          octets_of({0xea, 0x05}));
    const auto string =
        adapter.rig
            ->control_in(0x80, 6, static_cast<std::uint16_t>(0x0300 | std::to_integer<unsigned>(found[3])), 0x409, 255)
            .data;
    std::string text;
    for (std::size_t at = 2; at < string.size(); at += 2) text += static_cast<char>(string[at]);
    CHECK(text == "020000000001");
  }
}

TEST_CASE("a frame of the guest ends with a packet that is not full, in as many transfers as it likes") {
  AdapterRig adapter(usbredir::Speed::full);
  adapter.open();
  const Frame frame = frame_to(network::kBroadcast, 200);
  CHECK(adapter.write(frame).at(0).length == 200);
  REQUIRE(adapter.network->sent.size() == 1);
  CHECK(adapter.network->sent[0] == frame);
  // Three full packets, and the rest.
  CHECK(adapter.write(part_of(frame, 0, 64)).at(0).length == 64);
  CHECK(adapter.write(part_of(frame, 64, 128)).at(0).length == 128);
  CHECK(adapter.network->sent.size() == 1);
  adapter.write(part_of(frame, 192, 8));
  REQUIRE(adapter.network->sent.size() == 2);
  CHECK(adapter.network->sent[1] == frame);
  // Full packets alone have an empty one behind them.
  const Frame even = frame_to(kMac, 128);
  adapter.write(even);
  CHECK(adapter.network->sent.size() == 2);
  CHECK(int{adapter.write({}).at(0).status} == usb_redir_success);
  REQUIRE(adapter.network->sent.size() == 3);
  CHECK(adapter.network->sent[2] == even);
  adapter.write({});  // an empty packet alone is no frame
  CHECK(adapter.network->sent.size() == 3);
  CHECK(adapter.statistic(1) == 3);
  CHECK(adapter.statistic(3) == 0);
}

TEST_CASE("frames that are too long or too short are dropped whole and counted, and the next one comes") {
  AdapterRig adapter;
  adapter.open();
  const Frame longest = frame_to(kMac, network::kLongestFrame);
  adapter.write(longest);
  REQUIRE(adapter.network->sent.size() == 1);
  CHECK(adapter.network->sent[0] == longest);
  adapter.write(Frame(network::kLongestFrame + 1));
  adapter.write(Frame(13));
  CHECK(adapter.network->sent.size() == 1);
  CHECK(adapter.statistic(3) == 2);
  for (int part = 0; part < 1000; ++part) adapter.write(Frame(512));
  adapter.write(Frame(14));  // the end of the long one
  adapter.write(Frame(1 << 20));
  adapter.write({});
  CHECK(adapter.network->sent.size() == 1);
  CHECK(adapter.statistic(3) == 4);
  adapter.write(Frame(14));
  CHECK(adapter.network->sent.size() == 2);
}

TEST_CASE("a guest's transfers wait while the network has no room, and nothing is lost") {
  AdapterRig adapter;
  adapter.open();
  adapter.network->room = 2;
  const Frame first = frame_to(kMac, 60), second = frame_to(kMac, 61), third = frame_to(kMac, 62);
  CHECK(adapter.write(first).size() == 1);
  CHECK(adapter.write(second).size() == 1);
  CHECK(adapter.write(third).empty());
  int wakes = 0;
  adapter.rig->host->set_wake([&wakes] { ++wakes; });
  adapter.network->room = 3;
  adapter.network->wake();
  CHECK(wakes == 1);
  adapter.rig->host->look();
  CHECK(adapter.answers().size() == 1);
  CHECK(adapter.network->sent == std::vector<Frame>{first, second, third});
}

TEST_CASE("a frame for the guest fills as many transfers as it takes, with an empty packet behind full ones") {
  AdapterRig adapter(usbredir::Speed::full);
  adapter.open();
  CHECK(adapter.ask(1514).empty());  // waits
  const Frame frame = frame_to(kMac, 200);
  adapter.deliver(frame);
  CHECK(adapter.answers().at(0).data == frame);
  adapter.deliver(frame);
  CHECK(adapter.ask(128).at(0).data == part_of(frame, 0, 128));
  CHECK(adapter.ask(128).at(0).data == part_of(frame, 128, 72));
  CHECK(adapter.ask(128).empty());
  const Frame even = frame_to(kMac, 128);
  adapter.deliver(even);
  CHECK(adapter.answers().at(0).data == even);
  const auto end = adapter.ask(128);
  REQUIRE(end.size() == 1);
  CHECK(end[0].data.empty());
  CHECK(int{end[0].status} == usb_redir_success);
  adapter.deliver(even);
  CHECK(adapter.ask(1514).at(0).data == even);  // what is short needs no empty packet
  CHECK(adapter.ask(1514).empty());
  CHECK(adapter.statistic(2) == 4);
}

TEST_CASE("a guest whose room cuts a packet has a babble, and then the next frame") {
  AdapterRig adapter;
  adapter.open();
  adapter.deliver(frame_to(kMac, 600));
  CHECK(int{adapter.ask(100).at(0).status} == usb_redir_babble);
  adapter.deliver(frame_to(kMac, 600));
  CHECK(int{adapter.ask(0).at(0).status} == usb_redir_babble);
  adapter.deliver(frame_to(kMac, 1100));
  CHECK(adapter.ask(512).at(0).data.size() == 512);
  CHECK(int{adapter.ask(513).at(0).status} == usb_redir_babble);
  const Frame next = frame_to(kMac, 60);
  adapter.deliver(next);
  CHECK(adapter.ask(60).at(0).data == next);
  CHECK(adapter.statistic(4) == 3);
}

TEST_CASE("the guest has the frames that its filter says") {
  AdapterRig adapter;
  adapter.open();
  const Frame own = frame_to(kMac, 60), other = frame_to({2, 0, 0, 0, 0, 9}, 60);
  const Frame group = frame_to({1, 0, 0x5e, 0, 0, 1}, 60), everybody = frame_to(network::kBroadcast, 60);
  struct Wanted {
    int filter;
    std::vector<Frame> frames;
  };
  // What a guest has that has said nothing comes first.
  for (const Wanted& wanted :
       {Wanted{-1, {own, everybody}}, Wanted{0, {}}, Wanted{1, {own, other, group, everybody}}, Wanted{2, {group}},
        Wanted{4, {own}}, Wanted{8, {everybody}}, Wanted{16, {}}, Wanted{0x0e, {own, group, everybody}}}) {
    CAPTURE(wanted.filter);
    if (wanted.filter >= 0)
      CHECK(int{adapter.set_filter(static_cast<std::uint16_t>(wanted.filter)).status} == usb_redir_success);
    adapter.rig->guest.replies.clear();
    adapter.network->for_guest = {own, other, group, everybody};
    for (const Frame& frame : wanted.frames) CHECK(adapter.ask(1514).at(0).data == frame);
    CHECK(adapter.ask(1514).empty());
    adapter.rig->guest.parser.send_cancel_data_packet(adapter.rig->id);
    CHECK(int{adapter.answers().at(0).status} == usb_redir_cancelled);
  }
  adapter.set_filter(0);
  adapter.rig->configure();
  adapter.open();
  adapter.network->for_guest = {own};
  CHECK(adapter.ask(1514).size() == 1);  // a reset brings the usual filter back
}

TEST_CASE("the guest is told of the link and its speed, once for each time that it opens it") {
  for (const auto speed : {usbredir::Speed::full, usbredir::Speed::high}) {
    AdapterRig adapter(speed);
    DeviceRig& rig = *adapter.rig;
    rig.start_receiving(NetworkAdapter::kNotify);
    CHECK(rig.interrupts().empty());
    for (int round = 0; round < 2; ++round) {
      adapter.open();
      const auto said = rig.interrupts();
      REQUIRE(said.size() == 2);
      const Frame rate =
          speed == usbredir::Speed::high ? octets_of({0x00, 0x00, 0x64, 0x19}) : octets_of({0x00, 0x70, 0x94, 0x00});
      CHECK(part_of(said[0].data, 0, 8) == octets_of({0xa1, 0x2a, 0, 0, 0, 0, 8, 0}));
      CHECK(part_of(said[0].data, 8, 4) == rate);
      CHECK(part_of(said[0].data, 12, 4) == rate);
      CHECK(said[1].data == octets_of({0xa1, 0x00, 1, 0, 0, 0, 0, 0}));
      adapter.select(0);
      CHECK(rig.interrupts().empty());
    }
  }
}

TEST_CASE("what is on the way is forgotten when the interface is closed, and connections by a reset") {
  AdapterRig adapter;
  adapter.open();
  const int before = adapter.network->restarts;
  adapter.write(Frame(512));  // a frame that has begun
  adapter.network->for_guest = {frame_to(kMac, 1024)};
  adapter.ask(512);
  adapter.network->for_guest.push_back(frame_to(kMac, 60));
  adapter.select(0);
  adapter.select(1);
  CHECK(adapter.network->for_guest.empty());
  CHECK(adapter.ask(1514).empty());
  const Frame next = frame_to(kMac, 60);
  adapter.deliver(next);
  CHECK(adapter.answers().at(0).data == next);
  adapter.write(next);
  CHECK(adapter.network->sent.back() == next);
  CHECK(adapter.network->restarts == before);
  adapter.rig->configure();
  CHECK(adapter.network->restarts > before);
}

TEST_CASE("requests that an adapter does not know, and filters that are none, are stalled") {
  AdapterRig adapter;
  DeviceRig& rig = *adapter.rig;
  const auto refused = [](const Reply& reply) { CHECK(int{reply.status} == usb_redir_stall); };
  refused(adapter.set_filter(0x20));
  refused(adapter.set_filter(0xffff));
  refused(rig.control_out(kToAdapter, 0x43, 1, 1));
  refused(rig.control_out(kToAdapter, 0x43, 1, 0, octets_of({0})));
  refused(rig.control_out(kToAdapter, 0x40, 0, 0, octets_of({1, 0, 0x5e, 0, 0, 1})));  // a list of groups
  refused(rig.control_out(kToAdapter, 0x00, 0, 0, octets_of({1})));
  refused(rig.control_in(kFromAdapter, 0x44, 0, 0, 4));
  refused(rig.control_in(kFromAdapter, 0x44, 6, 0, 4));
  refused(rig.control_in(kFromAdapter, 0x01, 0, 0, 4));
  adapter.network->lost_frames = 7;
  CHECK(adapter.statistic(5) == 7);
}

TEST_CASE("a guest that cancels, resets and chooses settings at any moment has each answer once") {
  AdapterRig adapter(usbredir::Speed::full);
  DeviceRig& rig = *adapter.rig;
  std::mt19937 random(22);
  std::set<std::uint64_t> open;  // requests that have no answer yet
  for (int round = 0; round < 5000; ++round) {
    const auto what = static_cast<unsigned>(random() % 100);
    adapter.network->room = adapter.network->sent.size() + random() % 3;
    if (what < 10) {
      rig.guest.parser.send_cancel_data_packet(rig.id - random() % 20);
    } else if (what < 11) {
      rig.configure();
      open.clear();  // a reset ends all without a word
    } else if (what < 20) {
      rig.guest.parser.send(9, usb_redir_set_alt_setting_header{1, static_cast<std::uint8_t>(random() % 3)});
    } else if (what < 40) {
      adapter.deliver(frame_to(kMac, 14 + random() % 1500));
    } else if (what < 70) {
      open.insert(++rig.id);
      rig.guest.parser.send(rig.id, DeviceRig::bulk(NetworkAdapter::kIn, random() % 5 * 64 + random() % 2));
    } else {
      const Frame data(random() % 5 * 64 + random() % 2);
      open.insert(++rig.id);
      rig.guest.parser.send(rig.id, DeviceRig::bulk(NetworkAdapter::kOut, data.size()), data);
    }
    for (const Reply& reply : adapter.answers()) {
      if (reply.id != 9) REQUIRE(open.erase(reply.id) == 1);
    }
  }
  for (const Frame& frame : adapter.network->sent)
    CHECK((frame.size() >= network::kFrameHead && frame.size() <= network::kLongestFrame));
}
