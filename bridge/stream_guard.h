#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "common/error.h"

namespace usbloop::bridge {

/// Reads along in the usbredir stream from a client to QEMU, so that QEMU never meets a packet that it cannot read.
/// QEMU (7.2 at least) ends in a failed assertion (usbredir_chardev_read) when such a packet comes with more bytes
/// behind it, and all other sessions of its guest end too. The guard uses the library that QEMU uses, and keeps no more
/// than the packet at hand. Belongs to one thread.
class StreamGuard {
 public:
  StreamGuard();
  ~StreamGuard();
  StreamGuard(const StreamGuard&) = delete;
  StreamGuard& operator=(const StreamGuard&) = delete;

  /// Looks at the next bytes of the stream before they are passed on. After an Error (kind protocol) they must not be,
  /// and the session is over.
  [[nodiscard]] Result<> pass(std::span<const std::byte> bytes);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace usbloop::bridge
