#include "device-sim/input/keyboard.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "device-sim/emulation/plain_descriptors.h"

namespace usbloop::device_sim {
namespace {

// The boot keyboard's report (HID 1.11, appendix B.1): modifiers, a byte reserved, six keys; five lights to the device.
constexpr std::uint8_t kKeyboardReport[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,                                      // Keyboard
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01,              // modifiers, 0 or 1
    0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01,  // eight bits; a byte
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02,  // lights
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01,                                      // and what fills their byte
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00,                    // six keys, 0 to 255
    0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, 0xc0};

constexpr std::size_t kLightsSize = 1;
constexpr std::uint8_t kIntervalMs = 10;

void write_keyboard(usbredir::DescriptorWriter& writer, usbredir::Speed) {
  HidFunction::write_interface(writer, HidFunction::kKeyboard, sizeof kKeyboardReport, 8, kIntervalMs);
}

std::string text_of_lights(std::uint8_t lights) {
  std::string text;
  for (const auto& [bit, name] : {std::pair(1, "num lock"), {2, "caps lock"}, {4, "scroll lock"}}) {
    if ((lights & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

Keyboard::Keyboard(KeyboardOptions options)
    : options_(std::move(options)),
      description_{options_.vendor_id, options_.product_id, options_.speed,     "Logitech",
                   "USB Keyboard",     options_.serial,     "emulated keyboard"},
      descriptors_(plain_descriptors(description_, {.max_power = 45, .write_interfaces = write_keyboard})),
      hid_(kKeyboardReport, kLightsSize) {}

void Keyboard::reset() {
  // To the guest no key of a device that begins anew is down.
  if (std::exchange(is_down_, false)) ++next_;
  step_at_.reset();
  repeat_at_.reset();
  hid_.reset();
}

ControlReply Keyboard::request(const SetupPacket& setup, std::span<const std::byte> data) {
  const std::uint8_t before = lights();
  const Report input = report();
  ControlReply reply = hid_.request(setup, data, input);
  if (lights() != before) spdlog::info("{}: lights: {}", description_.label(), text_of_lights(lights()));
  repeat_at_.reset();
  if (const auto idle = hid_.idle(); idle && step_at_) repeat_at_ = now_ + *idle;
  return reply;
}

Keyboard::Report Keyboard::report() const {
  Report report{};
  if (is_down_) {
    report[0] = std::byte{options_.strokes[next_].modifiers};
    report[2] = std::byte{options_.strokes[next_].usage};
  }
  return report;
}

/// Presses the next key, or releases it.
void Keyboard::step() {
  if (std::exchange(is_down_, !is_down_)) ++next_;
  if (!has_more()) spdlog::info("{}: all is typed", description_.label());
}

InReply Keyboard::in(Pipe pipe, std::span<std::byte> room) {
  if (pipe.endpoint != HidFunction::kEndpoint) return InReply::stall();
  const auto idle = hid_.idle();
  if (!step_at_) {
    step_at_ = now_ + options_.delay;
    if (idle) repeat_at_ = now_ + *idle;
  }
  if (has_more() && now_ >= *step_at_) {
    step();
    step_at_ = now_ + options_.pace;
  } else if (!repeat_at_ || now_ < *repeat_at_) {
    return InReply::not_yet();
  }
  repeat_at_.reset();
  if (idle) repeat_at_ = now_ + std::max<std::chrono::milliseconds>(*idle, std::chrono::milliseconds(kIntervalMs));
  const Report sent = report();
  const std::size_t size = std::min(room.size(), sent.size());
  std::copy_n(sent.begin(), size, room.begin());
  return InReply::data(size);
}

Result<> Keyboard::act(std::string_view verb, std::string_view what) {
  if (verb != "type") return Device::act(verb, what);
  const auto strokes = key_strokes(what);
  if (!strokes) return tl::unexpected(strokes.error());
  auto& all = options_.strokes;
  if (!is_down_) {  // what has been typed is over
    all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::exchange(next_, 0)));
  }
  if (all.size() - next_ + strokes->size() > kLongestTyping) {
    return make_error(ErrorKind::conflict, "type on", description_.label(),
                      "more than " + std::to_string(kLongestTyping) + " keys would wait for the guest");
  }
  all.insert(all.end(), strokes->begin(), strokes->end());
  return {};
}

std::optional<Time> Keyboard::due() const {
  std::optional<Time> time = repeat_at_;
  if (step_at_ && has_more()) time = time ? std::min(*time, *step_at_) : *step_at_;
  return time;
}

}  // namespace usbloop::device_sim
