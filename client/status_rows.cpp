#include "client/status_rows.h"

#include <algorithm>
#include <cstdio>

#include "common/shown_text.h"

namespace usbloop::client {

namespace {

constexpr std::chrono::milliseconds kShortestMeasure{500};
constexpr std::size_t kWidestName = 28;

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// `connection lost` for ConnectionLost.
std::string spaced(std::string_view reason) {
  std::string text;
  for (std::size_t index = 0; index < reason.size(); ++index) {
    const char letter = reason[index];
    const bool is_upper = letter >= 'A' && letter <= 'Z';
    const bool before_upper = index > 0 && reason[index - 1] >= 'A' && reason[index - 1] <= 'Z';
    if (is_upper && index > 0 && !before_upper) text += ' ';
    text += is_upper && index > 0 && !before_upper ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return text;
}

std::string state_of(Happening what) {
  const auto& [same, event, reason] = name_of(what);
  if (event == "redirecting") return "redirected";
  if (event == "connecting") return "connecting";
  return std::string(event) + ": " + spaced(reason);
}

std::string shown_time(std::chrono::milliseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).count();
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  return text;
}

std::string padded(std::string text, std::size_t columns) {
  const auto width = columns_of(text);
  return width < columns ? std::move(text) + std::string(columns - width, ' ') : text;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (const char byte : text) {
    if (begins_character(byte)) columns += static_cast<unsigned char>(byte) < 0x80 ? 1 : 2;
  }
  return columns;
}

std::string fitted(const std::string& text, std::size_t columns) {
  std::string safe = one_line(text);
  if (columns_of(safe) <= columns) return safe;
  const std::string_view dots = std::string_view("...").substr(0, std::min<std::size_t>(columns, 3));
  std::size_t end = 0;
  std::size_t used = 0;
  while (end < safe.size()) {
    std::size_t next = end + 1;
    while (next < safe.size() && !begins_character(safe[next])) ++next;
    const auto width = columns_of(std::string_view(safe).substr(end, next - end));
    if (used + width + dots.size() > columns) break;
    used += width;
    end = next;
  }
  safe.resize(end);
  return safe + std::string(dots);
}

std::string shown_rate(double bytes_per_second) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB/s", bytes_per_second / 1'000'000);
  return text;
}

void StatusRows::note(std::size_t index, const Event& event) {
  const std::lock_guard lock(mutex_);
  auto& device = devices_.at(index);
  const auto& facts = event.device;
  const std::string place =
      facts.bus == 0 ? "emulated" : std::to_string(facts.bus) + "-" + std::to_string(facts.address);
  device.name = fitted(place + " " + facts.id + " " + facts.product, kWidestName);
  device.state = state_of(event.what);
  device.is_redirected = name_of(event.what).event == "redirecting";
}

void StatusRows::measure(const std::vector<Counters>& counters, std::chrono::steady_clock::time_point now) {
  const auto since = now - measured_at_;
  if (since < kShortestMeasure) return;
  const double seconds = std::chrono::duration<double>(since).count();
  for (std::size_t index = 0; index < devices_.size() && index < counters.size(); ++index) {
    auto& device = devices_[index];
    const auto rate = [&](std::uint64_t Counters::*field) {
      return static_cast<double>(counters[index].*field - device.last.*field) / seconds;
    };
    device.to_guest = rate(&Counters::bytes_to_guest);
    device.from_guest = rate(&Counters::bytes_from_guest);
    device.last = counters[index];
  }
  measured_at_ = now;
}

std::vector<std::string> StatusRows::rows(const std::vector<Counters>& counters,
                                          std::chrono::steady_clock::time_point now, std::size_t columns) {
  const std::lock_guard lock(mutex_);
  measure(counters, now);
  std::size_t name_width = 0;
  std::size_t state_width = 0;
  for (const auto& device : devices_) {
    name_width = std::max(name_width, columns_of(device.name));
    state_width = std::max(state_width, columns_of(device.state));
  }
  std::vector<std::string> rows;
  for (std::size_t index = 0; index < devices_.size(); ++index) {
    const auto& device = devices_[index];
    const Counters counted = index < counters.size() ? counters[index] : Counters{};
    std::string row = padded(device.name, name_width) + "  " + padded(device.state, state_width);
    if (device.is_redirected) {
      row += "  to VM " + shown_rate(device.to_guest) + "  from VM " + shown_rate(device.from_guest);
    }
    row += "  " + std::to_string(counted.transfers) + " transfers  " + std::to_string(counted.errors) + " errors  " +
           shown_time(counted.redirected);
    rows.push_back(fitted(row, columns > 0 ? columns - 1 : 0));
  }
  return rows;
}

}  // namespace usbloop::client
