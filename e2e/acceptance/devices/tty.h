#pragma once

#include <string>
#include <string_view>

#include "e2e/acceptance/devices/device.h"

namespace usbloop::e2e {

/// A serial line of the guest, raw, held open by its shell as descriptor 3. One at a time.
class GuestTty {
 public:
  /// Waits for the guest's ttyUSB of the device.
  explicit GuestTty(const GuestPort& port);
  ~GuestTty();
  GuestTty(const GuestTty&) = delete;
  GuestTty& operator=(const GuestTty&) = delete;

  /// In one write.
  void send(std::string_view bytes);
  /// Begins to read `count` bytes; finish_receiving() returns them, or throws Failure when they do not come.
  void start_receiving(std::size_t count);
  std::string finish_receiving();
  std::string receive(std::size_t count);

 private:
  GuestConsole& console_;
  std::size_t expected_ = 0;
};

/// Has the guest's generic serial driver take devices with these ids ("08e6 4433"): to a shell their bulk endpoints are
/// a serial line then. Once for each guest and kind.
void give_to_serial_driver(GuestConsole& guest, const std::string& ids);

/// `size` bytes of a number, the lowest first or the highest first.
std::string little_endian(std::uint64_t number, int size);
std::string big_endian(std::uint64_t number, int size);
/// The number at `at` of the bytes, little-endian.
std::uint64_t number_at(std::string_view bytes, std::size_t at, int size);

}  // namespace usbloop::e2e
