#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "common/error.h"

namespace usbloop::bridge {

/// Reads along in the usbredir stream from a client to QEMU, with the library that QEMU reads it with, so that QEMU
/// never meets a packet that it cannot read: from QEMU 7.2 at least, one that comes with more bytes behind it ends in a
/// failed assertion (usbredir_chardev_read), and with the guest all its other sessions are gone. Keeps no more than
/// the packet at hand. Belongs to one thread.
class StreamGuard {
 public:
  StreamGuard();
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

  /// Looks at the next bytes of the stream, before they are passed on. An Error (kind protocol): they must not be, and
  /// the session is over.
  [[nodiscard]] Result<> pass(std::span<const std::byte> bytes);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace usbloop::bridge
