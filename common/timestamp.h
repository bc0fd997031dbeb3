#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace usbloop {

/// Seconds since 1970.
std::int64_t now_seconds();

/// now_seconds() and so many more; as much as an RFC 3339 timestamp can say at most (the year 9999).
std::int64_t seconds_from_now(std::int64_t seconds);

/// RFC 3339 in UTC with whole seconds, as Kubernetes writes its timestamps.
std::string format_time(std::int64_t seconds);

/// Reads RFC 3339 with an offset or Z; fractions of a second are dropped.
std::optional<std::int64_t> parse_time(const std::string& text);

/// A duration as kubectl prints ages: "5s", "3m20s", "7h5m", "4d", "2y30d". Negative: "<invalid>".
std::string human_duration(std::int64_t seconds);

}  // namespace usbloop
