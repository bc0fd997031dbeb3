#pragma once

#include <cstddef>
#include <cstdint>

/// Numbers of the requests to a camera's controls (UVC 1.0, A.8, and 4.2.1.2 for the reasons of a stall).
namespace usbloop::device_sim::video_request {

inline constexpr std::uint8_t kSetCurrent = 0x01, kGetCurrent = 0x81, kGetMin = 0x82, kGetMax = 0x83,
                              kGetResolution = 0x84, kGetLength = 0x85, kGetInfo = 0x86, kGetDefault = 0x87;
inline constexpr std::uint8_t kValueOutOfRange = 4, kInvalidUnit = 5, kInvalidControl = 6, kInvalidRequest = 7;
inline constexpr std::byte kCanGet{1}, kCanGetAndSet{3};

}  // namespace usbloop::device_sim::video_request
