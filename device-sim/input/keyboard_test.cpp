#include "device-sim/input/keyboard.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <random>
#include <string>

#include "common/test_text.h"
#include "device-sim/emulation/device_rig.h"
#include "device-sim/kinds.h"

using namespace usbloop;
using namespace usbloop::device_sim;
using device_sim::test::DeviceRig;
using device_sim::test::Reply;
using usbloop::testing::contains;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t kKeys = HidFunction::kEndpoint;
constexpr std::uint8_t kClassIn = 0xa1, kClassOut = 0x21, kToInterface = 0x81;

Time test_time;

/// A keyboard at a guest, by a clock that the test moves.
struct KeyboardRig {
  explicit KeyboardRig(const std::string& text, usbredir::Speed speed = usbredir::Speed::low, bool has_media = false) {
    KeyboardOptions options;
    options.speed = speed;
    options.has_media = has_media;
    auto strokes = key_strokes(text);
    REQUIRE(strokes);
    options.strokes = *strokes;
    test_time = Time() + 1h;
    auto made = std::make_unique<Keyboard>(std::move(options));
    keyboard = made.get();
    rig = std::make_unique<DeviceRig>(std::move(made), [] { return test_time; });
    rig->configure();
  }

  /// The reports, as modifiers and key, that come while the clock goes on.
  std::vector<std::pair<int, int>> reports_in(std::chrono::milliseconds time) {
    std::vector<std::pair<int, int>> seen;
    for (std::chrono::milliseconds at{0}; at < time; at += 1ms) {
      test_time += 1ms;
      rig->host->look();
      for (const Reply& reply : rig->interrupts()) {
        CHECK(int{reply.status} == usb_redir_success);
        REQUIRE(reply.data.size() == 8);
        CHECK(reply.id == next_id++);
        seen.emplace_back(std::to_integer<int>(reply.data[0]), std::to_integer<int>(reply.data[2]));
      }
    }
    return seen;
  }

  Keyboard* keyboard = nullptr;
  std::unique_ptr<DeviceRig> rig;
  std::uint64_t next_id = 0;
};

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

using Reports = std::vector<std::pair<int, int>>;

Error typing_refusal(const std::string& text) {
  const auto strokes = key_strokes(text);
  REQUIRE_FALSE(strokes);
  return strokes.error();
}

}  // namespace

TEST_CASE("a text becomes the keys of a keyboard of the United States") {
  const auto strokes = key_strokes("aZ1!0 -/?\\\\\\n\\t\n`~");
  REQUIRE(strokes);
  CHECK(*strokes == std::vector<KeyStroke>{{0, 0x04},
                                           {2, 0x1d},
                                           {0, 0x1e},
                                           {2, 0x1e},
                                           {0, 0x27},
                                           {0, 0x2c},
                                           {0, 0x2d},
                                           {0, 0x38},
                                           {2, 0x38},
                                           {0, 0x31},
                                           {0, 0x28},
                                           {0, 0x2b},
                                           {0, 0x28},
                                           {0, 0x35},
                                           {2, 0x35}});
  for (int c = 0x20; c < 0x7f; ++c) {
    if (c != '\\') CHECK_MESSAGE(key_strokes(std::string(1, static_cast<char>(c))), c);
  }
}

TEST_CASE("keys have names, and others are held beside them") {
  const auto strokes =
      key_strokes("\\{f1}\\{f9}\\{f10}\\{ctrl-alt-delete}\\{ctrl-c}\\{shift-meta-up}\\{}}\\{-}\\{ctrl--}");
  REQUIRE(strokes);
  CHECK(*strokes ==
        std::vector<KeyStroke>{
            {0, 0x3a}, {0, 0x42}, {0, 0x43}, {5, 0x4c}, {1, 0x06}, {10, 0x52}, {2, 0x30}, {0, 0x2d}, {1, 0x2d}});
}

TEST_CASE("what is on no key is refused by its name") {
  CHECK(contains(typing_refusal("a\xc3\xa4").cause, "on no key"));
  CHECK(contains(typing_refusal(std::string("a\x01", 2)).cause, "on no key"));
  CHECK(contains(typing_refusal("\\x").message(), "'\\x'"));
  CHECK(contains(typing_refusal("tail\\").cause, "no such escape"));
  CHECK(contains(typing_refusal("\\{f13}").message(), "'\\{f13}'"));
  CHECK(contains(typing_refusal("\\{ctrl-}").cause, "no key of that name"));
  CHECK(contains(typing_refusal("\\{f1").cause, "no end"));
  CHECK(contains(typing_refusal("\\{").cause, "no end"));
  CHECK(key_strokes(std::string(kLongestTyping, 'a')));
  CHECK(contains(typing_refusal(std::string(kLongestTyping + 1, 'a')).cause, "longer than 65536"));
}

TEST_CASE("a keyboard shows itself as one, at both its speeds") {
  for (const auto speed : {usbredir::Speed::low, usbredir::Speed::full}) {
    KeyboardRig keys("", speed);
    const auto& guest = keys.rig->guest;
    CHECK(int{guest.connect.speed} == static_cast<int>(speed));
    CHECK(guest.connect.vendor_id == 0x046d);
    CHECK(int{guest.interfaces.interface_class[0]} == 3);
    CHECK(int{guest.interfaces.interface_subclass[0]} == 1);
    CHECK(int{guest.interfaces.interface_protocol[0]} == 1);
    CHECK(int{guest.endpoints.type[17]} == usb_redir_type_interrupt);
    CHECK(int{guest.endpoints.interval[17]} == 10);
    CHECK(guest.endpoints.max_packet_size[17] == 8);
    const Reply device = keys.rig->control_in(0x80, 6, 0x0100, 0, 18);
    REQUIRE(device.data.size() == 18);
    CHECK(std::to_integer<int>(device.data[7]) == (speed == usbredir::Speed::low ? 8 : 64));
    CHECK(int{keys.rig->control_in(0x80, 6, 0x0600, 0, 10).status} == usb_redir_stall);  // no qualifier
    const Reply hid = keys.rig->control_in(kToInterface, 6, 0x2100, 0, 255);
    REQUIRE(hid.data.size() == 9);
    const Reply report = keys.rig->control_in(kToInterface, 6, 0x2200, 0, 255);
    CHECK(report.data.size() == std::to_integer<std::size_t>(hid.data[7]));
    const auto configuration = keys.rig->control_in(0x80, 6, 0x0200, 0, 255).data;
    REQUIRE(configuration.size() == 34);
    CHECK(std::equal(hid.data.begin(), hid.data.end(), configuration.begin() + 18));
  }
}

TEST_CASE("a text is typed after the delay, key by key, once") {
  KeyboardRig keys("aA");
  CHECK(keys.reports_in(5s).empty());  // nobody listens
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(999ms).empty());
  CHECK(keys.reports_in(1ms) == Reports{{0, 4}});
  CHECK(keys.reports_in(9ms).empty());
  CHECK(keys.reports_in(1ms) == Reports{{0, 0}});
  CHECK(keys.reports_in(10s) == Reports{{2, 4}, {0, 0}});
  CHECK_FALSE(keys.keyboard->due());
  // The guest listens once more, as after its driver has been bound again.
  keys.rig->guest.parser.send(++keys.rig->id, usb_redir_stop_interrupt_receiving_header{kKeys});
  CHECK(int{keys.rig->reply().status} == usb_redir_success);
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(5s).empty());
}

TEST_CASE("nothing is typed while the guest does not receive") {
  KeyboardRig keys("ab");
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(1000ms) == Reports{{0, 4}});
  keys.rig->guest.parser.send(++keys.rig->id, usb_redir_stop_interrupt_receiving_header{kKeys});
  CHECK(keys.reports_in(5s).empty());
  keys.rig->start_receiving(kKeys);
  keys.next_id = 0;
  for (const Reply& first : keys.rig->interrupts()) CHECK(first.id == keys.next_id++);  // the release, at once
  CHECK(keys.next_id == 1);
  CHECK(keys.reports_in(5s) == Reports{{0, 5}, {0, 0}});
}

TEST_CASE("after a reset the keyboard goes on with the next key") {
  KeyboardRig keys("abc");
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(1020ms) == Reports{{0, 4}, {0, 0}, {0, 5}});
  keys.rig->configure();
  CHECK(keys.reports_in(5s).empty());
  keys.next_id = 0;
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(5s) == Reports{{0, 6}, {0, 0}});
}

TEST_CASE("the lights are the guest's, and idle, protocol and reports are answered") {
  KeyboardRig keys("a");
  DeviceRig& rig = *keys.rig;
  CHECK(int{rig.control_out(kClassOut, 9, 0x0200, 0, bytes_of({3})).status} == usb_redir_success);
  CHECK(int{keys.keyboard->lights()} == 3);
  CHECK(rig.control_in(kClassIn, 1, 0x0200, 0, 1).data == bytes_of({3}));
  CHECK(rig.control_in(kClassIn, 1, 0x0100, 0, 8).data == std::vector<std::byte>(8));
  CHECK(rig.control_in(kClassIn, 3, 0, 0, 1).data == bytes_of({1}));
  CHECK(int{rig.control_out(kClassOut, 11, 0, 0).status} == usb_redir_success);
  CHECK(rig.control_in(kClassIn, 3, 0, 0, 1).data == bytes_of({0}));
  CHECK(int{rig.control_out(kClassOut, 10, 25 << 8, 0).status} == usb_redir_success);
  CHECK(rig.control_in(kClassIn, 2, 0, 0, 1).data == bytes_of({25}));
  rig.start_receiving(kKeys);
  // Each 100 ms the report as it stands; typing comes in between.
  CHECK(keys.reports_in(950ms) == Reports(9, {0, 0}));
  CHECK(keys.reports_in(50ms) == Reports{{0, 4}});
  CHECK(keys.reports_in(105ms) == Reports{{0, 0}});
  CHECK(keys.reports_in(10ms) == Reports{{0, 0}});
  rig.configure();
  CHECK(int{keys.keyboard->lights()} == 0);
  CHECK(rig.control_in(kClassIn, 2, 0, 0, 1).data == bytes_of({0}));
  CHECK(rig.control_in(kClassIn, 3, 0, 0, 1).data == bytes_of({1}));
}

TEST_CASE("a keyboard that repeats its report keeps to its interval") {
  KeyboardRig keys("");
  CHECK(int{keys.rig->control_out(kClassOut, 10, 1 << 8, 0).status} == usb_redir_success);  // each 4 ms
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(1s).size() <= 101);
}

TEST_CASE("requests that a keyboard does not know are stalled") {
  KeyboardRig keys("a");
  DeviceRig& rig = *keys.rig;
  const auto refused = [&](const Reply& reply) { CHECK(int{reply.status} == usb_redir_stall); };
  refused(rig.control_out(kClassOut, 9, 0x0200, 0));                    // no data
  refused(rig.control_out(kClassOut, 9, 0x0200, 0, bytes_of({1, 2})));  // too much
  refused(rig.control_out(kClassOut, 9, 0x0201, 0, bytes_of({1})));     // a report id
  refused(rig.control_out(kClassOut, 9, 0x0100, 0, bytes_of({1})));     // an input report
  refused(rig.control_out(kClassOut, 9, 0x0300, 0, bytes_of({1})));     // a feature report
  refused(rig.control_out(kClassOut, 9, 0x0200, 1, bytes_of({1})));     // another interface
  refused(rig.control_out(kClassOut, 10, 0x0101, 0));                   // idle of a report id
  refused(rig.control_out(kClassOut, 11, 2, 0));                        // no such protocol
  refused(rig.control_in(kClassIn, 1, 0x0300, 0, 8));                   // a feature report
  refused(rig.control_in(kClassIn, 4, 0, 0, 8));
  refused(rig.control_in(kToInterface, 6, 0x2300, 0, 255));  // no physical descriptor
  refused(rig.control_in(kToInterface, 6, 0x2201, 0, 255));
  refused(rig.control_in(kToInterface, 6, 0x2200, 1, 255));
  refused(rig.control_in(0xc0, 1, 0, 0, 255));  // a vendor's
  CHECK(int{keys.keyboard->lights()} == 0);
  rig.guest.parser.send(++rig.id, usb_redir_start_interrupt_receiving_header{0x82});
  CHECK(int{rig.reply().status} == usb_redir_inval);
}

TEST_CASE("a halted endpoint is silent until the guest clears it and asks anew") {
  KeyboardRig keys("a");
  DeviceRig& rig = *keys.rig;
  CHECK(int{rig.control_out(0x02, 3, 0, kKeys).status} == usb_redir_success);
  rig.guest.parser.send(++rig.id, usb_redir_start_interrupt_receiving_header{kKeys});
  CHECK(int{rig.reply().status} == usb_redir_stall);
  CHECK(keys.reports_in(2s).empty());
  CHECK(int{rig.control_out(0x02, 1, 0, kKeys).status} == usb_redir_success);
  rig.start_receiving(kKeys);
  CHECK(keys.reports_in(2s) == Reports{{0, 4}, {0, 0}});
}

TEST_CASE("an unconfigured keyboard cannot be received from") {
  KeyboardRig keys("a");
  keys.rig->guest.parser.send_reset();
  keys.rig->guest.parser.send(++keys.rig->id, usb_redir_start_interrupt_receiving_header{kKeys});
  CHECK(int{keys.rig->reply().status} == usb_redir_inval);
}

TEST_CASE("the holder is woken when a key is due, and not after the end") {
  KeyboardOptions options;
  options.strokes = {{0, 4}};
  options.delay = 20ms;
  DeviceRig rig(std::make_unique<Keyboard>(std::move(options)));
  std::promise<void> woken;
  rig.host->set_wake([&woken, done = false]() mutable {
    if (!std::exchange(done, true)) woken.set_value();
  });
  rig.configure();
  rig.start_receiving(kKeys);
  REQUIRE(woken.get_future().wait_for(30s) == std::future_status::ready);
  rig.host->look();
  CHECK(rig.interrupts().size() == 1);
  rig.host->set_wake(nullptr);
  rig.host->disconnect();
  rig.host->look();
  CHECK(rig.interrupts().empty());
}

TEST_CASE("requests of any kind in any order leave a keyboard that types") {
  std::mt19937 random(20);
  KeyboardRig keys("a");
  DeviceRig& rig = *keys.rig;
  const auto number = [&](unsigned below) { return static_cast<std::uint16_t>(random() % below); };
  for (int round = 0; round < 5000; ++round) {
    const auto type = static_cast<std::uint8_t>(number(256));
    const auto request = static_cast<std::uint8_t>(number(16));
    const auto value = static_cast<std::uint16_t>(number(5) << 8 | number(3));
    const std::size_t answers = rig.guest.replies.size();
    if ((type & 0x80) != 0) {
      CHECK(rig.control_in(type, request, value, number(2), number(64)).data.size() < 64);
    } else {
      rig.control_out(type, request, value, number(2), std::vector<std::byte>(number(4)));
    }
    CHECK(rig.guest.replies.size() == answers + 1);
  }
  rig.configure();
  rig.start_receiving(kKeys);
  CHECK(keys.reports_in(2s) == Reports{{0, 4}, {0, 0}});
}

TEST_CASE("a keyboard is described in words") {
  const auto plain = make_host_end("keyboard");
  REQUIRE(plain);
  CHECK((*plain)->device().id() == "046d:c31c");
  CHECK((*plain)->device().speed == usbredir::Speed::low);
  CHECK((*plain)->device().serial.empty());
  CHECK(make_host_end("keyboard,text=a,,b\\n,delay=0,pace=50,speed=full,serial=K1,id=1:2"));
  const auto cause = [](const std::string& spec) {
    const auto made = make_host_end(spec);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::invalid);
    return made.error().message();
  };
  CHECK(contains(cause("keyboard,speed=high"), "speed=high is not a speed of this device"));
  CHECK(contains(cause("keyboard,delay=soon"), "delay=soon is no number of milliseconds from 0 to 3600000"));
  CHECK(contains(cause("keyboard,pace=9"), "pace=9"));
  CHECK(contains(cause("keyboard,pace=10x"), "pace=10x"));
  CHECK(contains(cause("keyboard,text=\\q"), "'\\q'"));
  CHECK(contains(cause("keyboard,image=a"), "no option 'image'"));
}

TEST_CASE("a composite keyboard types on one interface and presses media keys on the other, in their order") {
  KeyboardRig keys("a\\{volume-up}b\\{play}", usbredir::Speed::low, true);
  const auto& guest = keys.rig->guest;
  CHECK(int{guest.interfaces.interface_protocol[0]} == 1);
  CHECK(int{guest.interfaces.interface_class[1]} == 3);
  CHECK(int{guest.interfaces.interface_subclass[1]} == 0);
  CHECK(int{guest.interfaces.interface_protocol[1]} == 0);
  CHECK(int{guest.endpoints.type[18]} == usb_redir_type_interrupt);
  CHECK(guest.endpoints.max_packet_size[18] == 2);
  CHECK(keys.rig->control_in(kToInterface, 6, 0x2200, 1, 255).data.size() == 23);
  CHECK(keys.rig->control_in(kToInterface, 6, 0x2200, 0, 255).data.size() == 64);
  keys.rig->start_receiving(kKeys);
  CHECK(keys.reports_in(1500ms) == Reports{{0, 0x04}, {0, 0}});
  // The volume waits for somebody to hear it, and the rest for the volume.
  CHECK_FALSE(keys.keyboard->due());
  keys.rig->start_receiving(kKeys + 1);
  std::vector<std::vector<std::byte>> seen;
  for (int i = 0; i < 200; ++i) {
    test_time += 1ms;
    keys.rig->host->look();
    for (const Reply& reply : keys.rig->interrupts()) seen.push_back(reply.data);
  }
  const auto key = [](int usage) { return bytes_of({0, 0, usage, 0, 0, 0, 0, 0}); };
  const auto none = bytes_of({0, 0});
  CHECK(seen == std::vector{bytes_of({0xe9, 0}), none, key(0x05), key(0), bytes_of({0xcd, 0}), none});
}

TEST_CASE("media keys are pressed by name, and only on a keyboard that has them") {
  KeyboardRig keys("", usbredir::Speed::full, true);
  keys.rig->start_receiving(kKeys + 1);
  REQUIRE(keys.keyboard->act("press", "search"));
  CHECK(keys.keyboard->act("press", "louder").error().kind == ErrorKind::invalid);
  CHECK(keys.keyboard->act("press", "ctrl-mute").error().kind == ErrorKind::invalid);
  test_time += 1001ms;
  keys.rig->host->look();
  CHECK(keys.rig->interrupts().back().data == bytes_of({0x21, 0x02}));
  CHECK(keys.rig->control_in(kClassIn, 1, 0x0100, 1, 2).data == bytes_of({0x21, 0x02}));
  CHECK(keys.rig->control_in(kClassIn, 3, 0, 1, 1).status == usb_redir_stall);  // it has no boot protocol
  CHECK(keys.rig->control_out(kClassOut, 10, 0x0500, 1).status == usb_redir_stall);
  CHECK(keys.rig->control_in(kClassIn, 1, 0x0100, 2, 2).status == usb_redir_stall);
  const auto made = make_host_end("keyboard,text=\\{mute}");
  REQUIRE_FALSE(made);
  CHECK(made.error().hint == "Add media: keyboard,media, or media: true in a desk file.");
  CHECK(make_host_end("keyboard,media,text=\\{mute}"));
  CHECK_FALSE(make_host_end("keyboard,media=yes"));
  KeyboardRig plain("");
  CHECK(plain.keyboard->act("press", "mute").error().cause == "the keyboard has none");
  CHECK(plain.keyboard->act("press", "f1"));
}
