#include "usbredir/capture/capture_flags.h"

#include <charconv>

namespace usbloop::capture {
namespace {

auto refuse_flag(const char* flag, std::string cause, std::string hint = {}) {
  return make_error(ErrorKind::invalid, "use", flag, std::move(cause), std::move(hint));
}

}  // namespace

CaptureFlags::CaptureFlags(CLI::App& app, CaptureOptions& options) : app_(app), options_(options) {
  constexpr const char* kGroup = "Capture";
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    app.add_option(name, value, help)->type_name(type)->group(kGroup);
  };
  add("--capture,--record", path_, "Write the USB traffic to FILE, for Wireshark and for a replay (pcapng)", "FILE");
  add("--capture-size", size_, "Keep the newest SIZE bytes at most, in two files, for example 100M", "SIZE");
  add("--capture-snap", snap_, "Keep so many bytes of each transfer's data [all]", "BYTES");
}

Result<> CaptureFlags::finish() {
  if (app_.count("--capture") == 0) {
    for (const char* flag : {"--capture-size", "--capture-snap"}) {
      if (app_.count(flag) > 0) return refuse_flag(flag, "it belongs to --capture");
    }
    return {};
  }
  if (path_.empty()) return refuse_flag("--capture", "it is empty", "Write for example --capture usb.pcapng.");
  options_.path = path_;
  if (app_.count("--capture-size") > 0) {
    const auto size = parse_byte_count(size_);
    if (!size) return refuse_flag("--capture-size", "\"" + size_ + "\" is not a size", "Write for example 100M.");
    if (*size < kLeastCaptureSize)
      return refuse_flag("--capture-size", "it is less than 16M, which the longest transfers need");
    options_.size = *size;
  }
  if (app_.count("--capture-snap") == 0) return {};
  const auto snap = parse_byte_count(snap_);
  if (!snap) return refuse_flag("--capture-snap", "\"" + snap_ + "\" is not a size", "Write for example 256.");
  options_.snap = *snap;
  return {};
}

std::optional<std::uint64_t> parse_byte_count(const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  const std::string unit(stop, end);
  if (unit.empty()) return value;
  constexpr std::string_view kUnits = "KMG";
  constexpr unsigned kBitsOfUnit = 10;
  const auto index = kUnits.find(unit);
  if (unit.size() != 1 || index == std::string_view::npos) return std::nullopt;
  const auto shift = kBitsOfUnit * (static_cast<unsigned>(index) + 1);
  if (value > UINT64_MAX >> shift) return std::nullopt;
  return value << shift;
}

std::string trouble_text(const Error& error) {
  return error.message() +
         "\nThe capture ends there, and can be read; the redirection goes on. --capture-size keeps one within a limit.";
}

std::string loss_text(const CaptureCounts& counts, const std::filesystem::path& path) {
  if (counts.lost == 0) return {};
  return std::to_string(counts.lost) + " of " + std::to_string(counts.records) + " records are not in the capture " +
         path.string() + ": its disk was too slow or full.";
}

}  // namespace usbloop::capture
