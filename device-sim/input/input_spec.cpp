#include "device-sim/input/input_spec.h"

#include <charconv>
#include <utility>

#include "device-sim/emulation/spec_options.h"
#include "device-sim/input/keyboard.h"
#include "device-sim/input/mouse.h"

namespace usbloop::device_sim {
namespace {

using std::chrono::milliseconds;

/// A whole number of milliseconds between `least` and `most`; `value` stays as it is when there is none.
Result<> read_milliseconds(const DeviceSpec& spec, const char* name, milliseconds least, milliseconds most,
                           milliseconds& value) {
  const std::string* text = option_of(spec, name);
  if (text == nullptr) return {};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  if (!whole || number < least.count() || number > most.count()) {
    return refuse_option(spec, std::string(name) + "=" + *text + " is no number of milliseconds from " +
                                   std::to_string(least.count()) + " to " + std::to_string(most.count()));
  }
  value = milliseconds(number);
  return {};
}

/// What keyboards and mice have in common: id=, speed=, serial=, delay= and pace=.
template <typename Options>
Result<> read_input_device(const DeviceSpec& spec, std::optional<UsbId> default_id, Options& options) {
  if (auto read = read_ids(spec, default_id, options.vendor_id, options.product_id); !read) return read;
  if (auto read = read_one_of_speeds(spec, usbredir::Speed::low, usbredir::Speed::full, options.speed); !read)
    return read;
  if (auto read = read_serial_number(spec, options.serial); !read) return read;
  if (auto read = read_milliseconds(spec, "delay", milliseconds(0), milliseconds(3'600'000), options.delay); !read)
    return read;
  return read_milliseconds(spec, "pace", milliseconds(10), milliseconds(60'000), options.pace);
}

}  // namespace

Result<std::unique_ptr<Device>> make_keyboard(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  KeyboardOptions options;
  if (auto read = read_input_device(spec, default_id, options); !read) return tl::unexpected(read.error());
  if (const std::string* media = option_of(spec, "media")) {
    if (!media->empty()) return refuse_option(spec, "media takes no value");
    options.has_media = true;
  }
  if (const std::string* text = option_of(spec, "text")) {
    auto strokes = key_strokes(*text);
    if (!strokes) return tl::unexpected(strokes.error());
    if (auto fine = check_strokes(*strokes, options.has_media); !fine) return tl::unexpected(fine.error());
    options.strokes = std::move(*strokes);
  }
  return std::make_unique<Keyboard>(std::move(options));
}

Result<std::unique_ptr<Device>> make_mouse(const DeviceSpec& spec, std::optional<UsbId> default_id) {
  MouseOptions options;
  if (auto read = read_input_device(spec, default_id, options); !read) return tl::unexpected(read.error());
  if (const std::string* script = option_of(spec, "do")) {
    auto steps = mouse_steps(*script);
    if (!steps) return tl::unexpected(steps.error());
    options.steps = std::move(*steps);
  }
  return std::make_unique<Mouse>(std::move(options));
}

}  // namespace usbloop::device_sim
