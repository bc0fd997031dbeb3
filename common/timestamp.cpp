#include "common/timestamp.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace usbloop {
namespace {

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kYear = 365 * kDay;

std::string two_units(std::int64_t seconds, std::int64_t big, const char* big_name, std::int64_t small,
                      const char* small_name) {
  const std::int64_t rest = seconds % big / small;
  std::string text = std::to_string(seconds / big) + big_name;
  return rest == 0 ? text : text + std::to_string(rest) + small_name;
}

std::string one_unit(std::int64_t seconds, std::int64_t unit, const char* name) {
  return std::to_string(seconds / unit) + name;
}

/// The offset behind the seconds: "Z" or "+hh:mm", after an optional fraction.
std::optional<std::int64_t> parse_offset(const char* text) {
  if (*text == '.') {
    ++text;
    while (*text >= '0' && *text <= '9') ++text;
  }
  if (*text == 'Z' && text[1] == '\0') return 0;
  int hours = 0;
  int minutes = 0;
  int length = 0;
  if ((*text != '+' && *text != '-') || std::sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 ||
      text[1 + length] != '\0') {
    return std::nullopt;
  }
  const std::int64_t offset = hours * kHour + minutes * kMinute;
  return *text == '-' ? -offset : offset;
}

/// The form that Kubernetes writes, without the C library: that takes most of a microsecond, and tables have an age in
/// each row. Nothing for other forms.
std::optional<std::int64_t> parse_usual(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !is_digit : text[i] != kForm[i]) return std::nullopt;
  }
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const auto month = static_cast<unsigned>(two(5));
  if (month < 1 || month > 12) return std::nullopt;
  const std::chrono::year_month_day first(std::chrono::year(two(0) * 100 + two(2)), std::chrono::month(month),
                                          std::chrono::day(1));
  const std::int64_t days = std::chrono::sys_days(first).time_since_epoch().count() + two(8) - 1;
  return days * kDay + two(11) * kHour + two(14) * kMinute + two(17);
}

}  // namespace

std::int64_t now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t seconds_from_now(std::int64_t seconds) {
  constexpr std::int64_t kLast = 253'402'300'799;  // 9999-12-31T23:59:59Z
  const std::int64_t now = now_seconds();
  return now + std::clamp<std::int64_t>(seconds, 0, kLast - now);
}

std::string format_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

std::optional<std::int64_t> parse_time(const std::string& text) {
  if (const auto usual = parse_usual(text)) return usual;
  std::tm parts{};
  int length = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &length) != 6) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const auto offset = parse_offset(text.c_str() + length);
  if (!offset) return std::nullopt;
  return static_cast<std::int64_t>(timegm(&parts)) - *offset;
}

// As k8s.io/apimachinery/pkg/util/duration.HumanDuration.
std::string human_duration(std::int64_t seconds) {
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 2 * kMinute) return one_unit(seconds, 1, "s");
  if (seconds < 10 * kMinute) return two_units(seconds, kMinute, "m", 1, "s");
  if (seconds < 3 * kHour) return one_unit(seconds, kMinute, "m");
  if (seconds < 8 * kHour) return two_units(seconds, kHour, "h", kMinute, "m");
  if (seconds < 2 * kDay) return one_unit(seconds, kHour, "h");
  if (seconds < 8 * kDay) return two_units(seconds, kDay, "d", kHour, "h");
  if (seconds < 2 * kYear) return one_unit(seconds, kDay, "d");
  if (seconds < 8 * kYear) return two_units(seconds, kYear, "y", kDay, "d");
  return one_unit(seconds, kYear, "y");
}

}  // namespace usbloop
