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

// One media key that is down, by its usage; 0: none.
constexpr std::uint8_t kMediaReport[] = {0x05, 0x0c, 0x09, 0x01, 0xa1, 0x01,              // Consumer Control
                                         0x15, 0x00, 0x26, 0xff, 0x03, 0x19, 0x00, 0x2a,  // usages of ten bits
                                         0xff, 0x03, 0x75, 0x10, 0x95, 0x01, 0x81, 0x00,  // in two bytes
                                         0xc0};

constexpr std::uint8_t kMediaInterface = 1, kMediaEndpoint = HidFunction::kEndpoint + kMediaInterface;
constexpr std::size_t kLightsSize = 1;
constexpr std::uint8_t kIntervalMs = 10;

void write_keyboard(usbredir::DescriptorWriter& writer, usbredir::Speed) {
  HidFunction::write_interface(writer, HidFunction::kKeyboard, sizeof kKeyboardReport, 8, kIntervalMs);
}

void write_media_keyboard(usbredir::DescriptorWriter& writer, usbredir::Speed speed) {
  write_keyboard(writer, speed);
  HidFunction::write_interface(writer, HidFunction::kNoBoot, sizeof kMediaReport, 2, kIntervalMs, kMediaInterface);
}

PlainDevice plain_keyboard(bool has_media) {
  if (has_media) return {.interfaces = 2, .max_power = 45, .write_interfaces = write_media_keyboard};
  return {.max_power = 45, .write_interfaces = write_keyboard};
}

InReply in_reply(std::span<const std::byte> report, std::span<std::byte> room) {
  const std::size_t size = std::min(room.size(), report.size());
  std::copy_n(report.begin(), size, room.begin());
  return InReply::data(size);
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
      descriptors_(plain_descriptors(description_, plain_keyboard(options_.has_media))),
      hid_(kKeyboardReport, kLightsSize),
      media_(kMediaInterface, kMediaReport) {}

void Keyboard::reset() {
  // To the guest no key of a device that begins anew is down.
  if (std::exchange(is_down_, false)) ++next_;
  step_at_.reset();
  repeat_at_.reset();
  hid_.reset();
  media_.reset();
}

ControlReply Keyboard::request(const SetupPacket& setup, std::span<const std::byte> data) {
  if (options_.has_media && setup.index == kMediaInterface) {
    return media_.request(setup, data, media_report());
  }
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

std::array<std::byte, 2> Keyboard::media_report() const {
  const std::uint16_t usage = is_down_ ? options_.strokes[next_].media : 0;
  return {static_cast<std::byte>(usage & 0xff), static_cast<std::byte>(usage >> 8)};
}

/// Presses the next key, or releases it.
void Keyboard::step() {
  if (std::exchange(is_down_, !is_down_)) ++next_;
  if (!has_more()) spdlog::info("{}: all is typed", description_.label());
}

InReply Keyboard::in(Pipe pipe, std::span<std::byte> room) {
  const bool is_media = options_.has_media && pipe.endpoint == kMediaEndpoint;
  if (pipe.endpoint != HidFunction::kEndpoint && !is_media) return InReply::stall();
  const auto idle = hid_.idle();
  if (!step_at_) {
    step_at_ = now_ + options_.delay;
    if (idle) repeat_at_ = now_ + *idle;
  }
  const bool is_next = has_more() && (options_.strokes[next_].media != 0) == is_media;
  if (is_next && now_ >= *step_at_) {
    step();
    step_at_ = now_ + options_.pace;
  } else if (is_media || !repeat_at_ || now_ < *repeat_at_) {
    return InReply::not_yet();
  }
  if (is_media) return in_reply(media_report(), room);
  repeat_at_.reset();
  if (idle) repeat_at_ = now_ + std::max<std::chrono::milliseconds>(*idle, std::chrono::milliseconds(kIntervalMs));
  return in_reply(report(), room);
}

Result<> Keyboard::act(std::string_view verb, std::string_view what) {
  if (verb == "type") return type(what);
  return verb == "press" ? type("\\{" + std::string(what) + "}") : Device::act(verb, what);
}

Result<> Keyboard::type(std::string_view text) {
  const auto strokes = key_strokes(text);
  if (!strokes) return tl::unexpected(strokes.error());
  if (auto fine = check_strokes(*strokes, options_.has_media); !fine) return fine;
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
  // What is overdue waits for the guest to receive from its interface.
  if (step_at_ && *step_at_ > now_ && has_more()) time = time ? std::min(*time, *step_at_) : *step_at_;
  return time;
}

}  // namespace usbloop::device_sim
