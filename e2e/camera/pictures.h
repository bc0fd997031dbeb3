#pragma once

#include <cstdint>
#include <optional>
#include <span>

// What the emulated camera's pictures say of themselves (docs/devices.md), for the guest's program and the tests.

/// The number of a picture in YUYV; nothing when it is damaged.
std::optional<std::uint32_t> number_of_yuyv(std::span<const unsigned char> picture, std::uint32_t width,
                                            std::uint32_t height);

/// The number of a picture in MJPEG, by its comment; nothing when it is damaged.
std::optional<std::uint32_t> number_of_mjpeg(std::span<const unsigned char> picture);
