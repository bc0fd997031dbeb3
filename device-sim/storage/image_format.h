#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "common/error.h"
#include "device-sim/storage/block_store.h"

namespace usbloop::device_sim {

/// The format of a disk image that begins with `head`, of which only a few bytes at the start are looked at: "qcow2",
/// "VMDK" and so on; empty when it is none of those that a program of virtual machines has.
std::string image_format(std::span<const std::byte> head);

/// An Error (kind invalid, with what to type) when the image at `path` is no raw one but a file of such a format: a
/// guest would see the format in the place of the disk, and destroy it by writing. Or the store's.
Result<> expect_raw(BlockStore& store, const std::string& path);

}  // namespace usbloop::device_sim
