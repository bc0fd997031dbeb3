#include "device-sim/input/mouse.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "common/log.h"
#include "common/shown_text.h"
#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

// The boot mouse's report (HID 1.11, appendix B.2), and a wheel behind it.
constexpr std::uint8_t kMouseReport[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,              // Mouse, Pointer
    0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00, 0x25, 0x01,              // three buttons, 0 or 1
    0x95, 0x03, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x05, 0x81, 0x01,  // and what fills their byte
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f,  // X, Y, wheel, -127 to 127
    0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0};

constexpr std::uint8_t kGetMouseIdle = 2, kSetMouseIdle = 10;  // which only keyboards must know (HID 1.11, 7.2)
constexpr std::uint8_t kMouseIntervalMs = 10;
constexpr int kLongestStep = 127, kLongestWay = 100'000;

void write_mouse(usbredir::DescriptorWriter& writer, usbredir::Speed) {
  HidFunction::write_interface(writer, HidFunction::kMouse, sizeof kMouseReport, 8, kMouseIntervalMs);
}

auto refuse_script(std::string_view word, std::string cause) {
  return make_error(ErrorKind::invalid, "emulate", "'" + one_line(word, 64) + "'", std::move(cause),
                    "A script has move:X:Y, wheel:N, and click:, press: or release: with left, right or middle.");
}

std::optional<int> way(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::abs(value) > kLongestWay) return std::nullopt;
  return value;
}

std::uint8_t button(std::string_view name) {
  if (name == "left") return 1;
  if (name == "right") return 2;
  return name == "middle" ? 4 : 0;
}

/// Appends steps along a straight line.
void go(std::vector<MouseStep>& steps, std::uint8_t buttons, int x, int y, int wheel) {
  const int longest = std::max({std::abs(x), std::abs(y), std::abs(wheel), 1});
  const int count = (longest + kLongestStep - 1) / kLongestStep;
  for (int i = 0; i < count; ++i) {
    const auto part = [&](int whole) { return static_cast<std::int8_t>(whole * (i + 1) / count - whole * i / count); };
    steps.push_back({buttons, part(x), part(y), part(wheel)});
  }
}

/// Appends what a word says; false when it makes no sense. `buttons` are those that are down.
bool read_word(std::string_view word, std::vector<MouseStep>& steps, std::uint8_t& buttons) {
  const auto colon = std::min(word.find(':'), word.size());
  const std::string_view verb = word.substr(0, colon);
  const std::string_view object = word.substr(std::min(colon + 1, word.size()));
  if (verb == "move") {
    const auto middle = std::min(object.find(':'), object.size());
    const auto x = way(object.substr(0, middle));
    const auto y = way(object.substr(std::min(middle + 1, object.size())));
    if (x && y) go(steps, buttons, *x, *y, 0);
    return x && y;
  }
  if (verb == "wheel") {
    const auto turn = way(object);
    if (turn) go(steps, buttons, 0, 0, *turn);
    return turn.has_value();
  }
  const std::uint8_t which = button(object);
  const bool presses = verb == "press" || verb == "click";
  const bool releases = verb == "release" || verb == "click";
  if (which == 0 || (!presses && !releases)) return false;
  if (presses) go(steps, buttons |= which, 0, 0, 0);
  if (releases) go(steps, buttons &= static_cast<std::uint8_t>(~which), 0, 0, 0);
  return true;
}

}  // namespace

Result<std::vector<MouseStep>> mouse_steps(std::string_view script) {
  std::vector<MouseStep> steps;
  std::uint8_t buttons = 0;
  while (!script.empty()) {
    const std::string_view word = script.substr(0, script.find(' '));
    script.remove_prefix(std::min(word.size() + 1, script.size()));
    if (word.empty()) continue;
    if (!read_word(word, steps, buttons)) return refuse_script(word, "the mouse cannot do that");
    if (steps.size() > kMostMouseSteps)
      return refuse_script(word, "the script is longer than " + std::to_string(kMostMouseSteps) + " steps");
  }
  return steps;
}

Mouse::Mouse(MouseOptions options)
    : options_(std::move(options)),
      description_{options_.vendor_id, options_.product_id, options_.speed,  "Logitech",
                   "USB Mouse",        options_.serial,     "emulated mouse"},
      descriptors_(plain_descriptors(description_, {.write_interfaces = write_mouse})),
      hid_(kMouseReport, 0) {}

void Mouse::reset() {
  step_at_.reset();
  buttons_ = 0;
  hid_.reset();
}

ControlReply Mouse::request(const SetupPacket& setup, std::span<const std::byte> data) {
  const bool is_class = (setup.request_type & 0x60) == 0x20;
  if (is_class && (setup.request == kGetMouseIdle || setup.request == kSetMouseIdle)) return {};
  return hid_.request(setup, data, report({buttons_, 0, 0, 0}));
}

std::vector<std::byte> Mouse::report(const MouseStep& step) const {
  std::vector<std::byte> bytes = {std::byte{step.buttons}, static_cast<std::byte>(step.x),
                                  static_cast<std::byte>(step.y)};
  if (!hid_.is_boot_protocol()) bytes.push_back(static_cast<std::byte>(step.wheel));
  return bytes;
}

InReply Mouse::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint != HidFunction::kEndpoint) return InReply::stall();
  if (!step_at_) step_at_ = now_ + options_.delay;
  if (next_ == options_.steps.size() || now_ < *step_at_) return InReply::not_yet();
  const MouseStep& step = options_.steps[next_++];
  buttons_ = step.buttons;
  step_at_ = now_ + options_.pace;
  if (next_ == options_.steps.size()) spdlog::info("{}: all is done", description_.label());
  const auto bytes = report(step);
  const std::size_t size = std::min(room.size(), bytes.size());
  std::copy_n(bytes.begin(), size, room.begin());
  return InReply::data(size);
}

Result<> Mouse::act(std::string_view verb, std::string_view what) {
  if (verb != "do") return Device::act(verb, what);
  const auto steps = mouse_steps(what);
  if (!steps) return tl::unexpected(steps.error());
  auto& all = options_.steps;
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::exchange(next_, 0)));
  if (all.size() + steps->size() > kMostMouseSteps) {
    return make_error(ErrorKind::conflict, "move", description_.label(),
                      "more than " + std::to_string(kMostMouseSteps) + " steps would wait for the guest");
  }
  all.insert(all.end(), steps->begin(), steps->end());
  return {};
}

std::optional<Time> Mouse::due() const { return next_ < options_.steps.size() ? step_at_ : std::nullopt; }

}  // namespace usbloop::device_sim
