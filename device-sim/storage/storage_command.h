#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

// The wrappers of Bulk-Only storage (usbmassbulk_10, 5.1 and 5.2), and what their commands do, as a replay has to know.
namespace usbloop::device_sim {

bool is_command_wrapper(std::span<const std::byte> data);
bool is_status_wrapper(std::span<const std::byte> data);

/// Of a command wrapper or a status wrapper.
std::uint32_t wrapper_tag(std::span<const std::byte> wrapper);
void set_wrapper_tag(std::span<std::byte> wrapper, std::uint32_t tag);

/// A command wrapper without its signature and its tag: two with the same key ask for the same. The functions below
/// take such a key.
std::vector<std::byte> command_key(std::span<const std::byte> wrapper);

/// It leaves the device as it was; commands that are not known here do not.
bool only_asks(std::span<const std::byte> key);
/// READ(6), (10), (12) or (16): what they give depends on what was written.
bool reads_blocks(std::span<const std::byte> key);
/// It has data for the device.
bool carries_data(std::span<const std::byte> key);
/// REQUEST SENSE: the answer belongs to the command before.
bool asks_for_sense(std::span<const std::byte> key);

/// The command block in hexadecimal digits, and how much data goes with it.
std::string command_text(std::span<const std::byte> key);

}  // namespace usbloop::device_sim
