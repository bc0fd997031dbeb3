// Keyboard, mouse and tablets: what a hand does here is what the guest's evdev reads.
#include <cstdint>
#include <functional>
#include <sstream>

#include "e2e/acceptance/devices/device.h"
#include "e2e/harness/failure.h"

namespace usbloop::e2e {
namespace {

using nlohmann::json;

// linux/input-event-codes.h
constexpr int kKey = 1;
constexpr int kRelative = 2;
constexpr int kAbsolute = 3;
constexpr int kAxisX = 0;
constexpr int kLeftButton = 0x110;

struct InputEvent {
  int type = 0;
  int code = 0;
  int value = 0;
  bool operator==(const InputEvent&) const = default;
};

/// struct input_event of a 64-bit kernel: 16 bytes of time, then type and code of 2, and value of 4.
std::vector<InputEvent> parse_events(const std::string& hex) {
  constexpr std::size_t kSize = 24;
  std::istringstream words(hex);
  std::vector<unsigned> bytes;
  for (unsigned byte = 0; words >> std::hex >> byte;) bytes.push_back(byte);
  std::vector<InputEvent> events;
  for (std::size_t at = 0; at + kSize <= bytes.size(); at += kSize) {
    const unsigned* event = bytes.data() + at + 16;
    const unsigned value = event[4] | event[5] << 8 | event[6] << 16 | event[7] << 24;
    events.push_back({static_cast<int>(event[0] | event[1] << 8), static_cast<int>(event[2] | event[3] << 8),
                      static_cast<std::int32_t>(value)});
  }
  return events;
}

bool holds_in_order(const std::vector<InputEvent>& events, const std::vector<InputEvent>& wanted) {
  std::size_t found = 0;
  for (const InputEvent& event : events) {
    if (found < wanted.size() && event == wanted[found]) ++found;
  }
  return found == wanted.size();
}

/// Reads the device in the guest while the hand moves. The hand moves again when nothing comes: QEMU uses a pointer
/// only once it has been asked for data.
void read_while(const GuestPort& port, const std::function<std::vector<InputEvent>(int)>& move) {
  const std::string path = port.wait_path(port.name + ":*/*/input/input*/event*");
  const std::string node = "/dev/input/" + path.substr(path.rfind('/') + 1);
  port.console.must_run("exec 3<" + node + "; cat <&3 >/tmp/events & echo $! >/tmp/reader");
  std::string read;
  bool seen = false;
  for (int attempt = 0; attempt < 10 && !seen; ++attempt) {
    const auto wanted = move(attempt);
    seen = holds_within(3s, [&] {
      read = port.console.must_run("od -An -v -t x1 /tmp/events");
      return holds_in_order(parse_events(read), wanted);
    });
  }
  port.console.must_run("kill $(cat /tmp/reader); exec 3<&-");
  if (!seen) throw Failure("the guest did not see what the hand did; it read: " + read);
}

class InputDevice : public Device {
 public:
  explicit InputDevice(std::string model) : model_(std::move(model)) {}
  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    machine.plug(model_ + "," + port, id);
  }

 private:
  const std::string model_;
};

json button(const std::string& name, bool down) {
  return {{"type", "btn"}, {"data", {{"button", name}, {"down", down}}}};
}

json axis(const std::string& type, int value) { return {{"type", type}, {"data", {{"axis", "x"}, {"value", value}}}}; }

void send(ClientMachine& machine, const json& events) {
  machine.hardware().run("input-send-event", {{"events", events}});
}

class Keyboard : public InputDevice {
 public:
  using InputDevice::InputDevice;
  void exchange(ClientMachine& machine, const GuestPort& port, int round) override {
    struct Key {
      const char* name;
      int code;
    };
    static constexpr Key kKeys[] = {{"u", 22}, {"s", 31}, {"b", 48}, {"l", 38}, {"o", 24}, {"p", 25}};
    constexpr int kCount = sizeof kKeys / sizeof *kKeys;
    read_while(port, [&](int attempt) {
      json events = json::array();
      std::vector<InputEvent> wanted;
      for (int index = 0; index < 3; ++index) {
        const Key& key = kKeys[(round + attempt + index) % kCount];
        for (const bool down : {true, false}) {
          const json name = {{"type", "qcode"}, {"data", key.name}};
          events.push_back({{"type", "key"}, {"data", {{"key", name}, {"down", down}}}});
          wanted.push_back({kKey, key.code, down ? 1 : 0});
        }
      }
      send(machine, events);
      return wanted;
    });
  }
};

class Mouse : public InputDevice {
 public:
  using InputDevice::InputDevice;
  void exchange(ClientMachine& machine, const GuestPort& port, int round) override {
    read_while(port, [&](int attempt) {
      const int step = 3 + 10 * attempt + round % 10;
      send(machine, json::array({axis("rel", step)}));
      send(machine, json::array({button("left", true)}));
      send(machine, json::array({button("left", false)}));
      return std::vector<InputEvent>{{kRelative, kAxisX, step}, {kKey, kLeftButton, 1}, {kKey, kLeftButton, 0}};
    });
  }
};

class Tablet : public InputDevice {
 public:
  using InputDevice::InputDevice;
  void exchange(ClientMachine& machine, const GuestPort& port, int round) override {
    read_while(port, [&](int attempt) {
      const int place = 1000 + 1000 * attempt + round;
      send(machine, json::array({axis("abs", place)}));
      send(machine, json::array({button("left", true)}));
      send(machine, json::array({button("left", false)}));
      return std::vector<InputEvent>{{kAbsolute, kAxisX, place}, {kKey, kLeftButton, 1}, {kKey, kLeftButton, 0}};
    });
  }
};

std::string of_version(const std::string& model, int usb_version) {
  return model + ",usb_version=" + std::to_string(usb_version);
}

}  // namespace

DevicePtr make_keyboard(int usb_version) { return std::make_unique<Keyboard>(of_version("usb-kbd", usb_version)); }
DevicePtr make_mouse(int usb_version) { return std::make_unique<Mouse>(of_version("usb-mouse", usb_version)); }
DevicePtr make_tablet(int usb_version) { return std::make_unique<Tablet>(of_version("usb-tablet", usb_version)); }

}  // namespace usbloop::e2e
