#pragma once

#include <cstddef>
#include <span>

#include "common/fd.h"
#include "common/net/stream.h"

// Descriptors that travel beside the bytes of a unix socket (SCM_RIGHTS). Only for plain streams on unix sockets.
namespace usbloop::net {

/// Whether `stream` is a unix socket, over which descriptors can be passed.
bool passes_descriptors(Stream& stream);

/// As Stream::try_write, with a copy of `descriptor` beside the first byte.
IoResult try_write_with_descriptor(Stream& stream, std::span<const std::byte> bytes, int descriptor);

/// What came beside the bytes. Descriptors are close-on-exec in this process from the start.
struct PassedDescriptors {
  Fd first;
  bool surplus = false;  ///< more than one came, or one for which there was no room; those are closed
};

/// As Stream::try_read, and adds what came beside the bytes to `passed`.
IoResult try_read_with_descriptors(Stream& stream, std::span<std::byte> buffer, PassedDescriptors& passed);

}  // namespace usbloop::net
