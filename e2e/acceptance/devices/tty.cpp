#include "e2e/acceptance/devices/tty.h"

#include <cstdio>
#include <sstream>

#include "e2e/harness/failure.h"
#include "e2e/harness/wait.h"

namespace usbloop::e2e {

GuestTty::GuestTty(const GuestPort& port) : console_(port.console) {
  const std::string path = port.wait_path(port.name + ":*/ttyUSB*");
  const std::string node = "/dev/" + path.substr(path.rfind('/') + 1);
  // A shell ends when `exec` cannot open its file.
  wait_until("the guest's " + node, 30s, [&] { return console_.run("[ -c " + node + " ]").status == 0; });
  console_.must_run("exec 3<>" + node + " && stty raw -echo <&3", 60s);
}

GuestTty::~GuestTty() {
  try {
    console_.run("exec 3>&-");
  } catch (const Failure&) {  // told by whoever uses the console next
  }
}

void GuestTty::send(std::string_view bytes) {
  std::string escaped;
  for (const char byte : bytes) {
    char text[5];
    std::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    escaped += text;
  }
  // Through a pipe: printf writes to a terminal line by line, and a message may hold a line end.
  console_.must_run("printf '" + escaped + "' | cat >&3", 60s);
}

void GuestTty::start_receiving(std::size_t count) {
  expected_ = count;
  console_.start("timeout 50 head -c " + std::to_string(count) + " <&3 | od -An -v -t x1");
}

std::string GuestTty::finish_receiving() {
  std::istringstream words(console_.finish(90s).output);
  std::string bytes;
  for (unsigned byte = 0; words >> std::hex >> byte;) bytes += static_cast<char>(byte);
  if (bytes.size() != expected_) {
    throw Failure("the guest received " + std::to_string(bytes.size()) + " of " + std::to_string(expected_) + " bytes");
  }
  return bytes;
}

std::string GuestTty::receive(std::size_t count) {
  start_receiving(count);
  return finish_receiving();
}

void give_to_serial_driver(GuestConsole& guest, const std::string& ids) {
  guest.must_run("modprobe usbserial && echo " + ids + " >/sys/bus/usb-serial/drivers/generic/new_id");
}

std::string little_endian(std::uint64_t number, int size) {
  std::string bytes;
  for (int index = 0; index < size; ++index) bytes += static_cast<char>(number >> (8 * index));
  return bytes;
}

std::string big_endian(std::uint64_t number, int size) {
  const std::string bytes = little_endian(number, size);
  return {bytes.rbegin(), bytes.rend()};
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, int size) {
  std::uint64_t number = 0;
  for (int index = size - 1; index >= 0; --index) {
    number = number << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(index)));
  }
  return number;
}

}  // namespace usbloop::e2e
