// Emulated devices that a guest has configured and does not use.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

#include "common/fd.h"
#include "e2e/harness/case_dir.h"
#include "e2e/harness/guest_console.h"
#include "e2e/harness/image.h"
#include "e2e/harness/proc_fs.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"
#include "e2e/harness/usbredir_bytes.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// A device, and a guest that has configured it and listens to its interrupt endpoints.
struct IdleDevice {
  IdleDevice(const CaseDir& dir, const std::string& spec, int number)
      : process({.name = "device" + std::to_string(number),
                 .argv = {device_sim(), "--emulate", spec, "--as", "unix:" + socket_of(dir, number).string()},
                 .log_dir = dir.path()}) {
    constexpr std::uint32_t kReset = 3, kStartInterruptReceiving = 15;
    process.wait_err("Listening on", 10s);
    connection = connect_unix(socket_of(dir, number));
    const std::string bytes = qemu_hello() + usbredir_packet(kReset, 0, "") +
                              usbredir_packet(usbredir_set_configuration, 1, "\x01") +
                              usbredir_packet(kStartInterruptReceiving, 2, "\x81") +
                              usbredir_packet(kStartInterruptReceiving, 3, "\x83") + get_device_descriptor(4);
    REQUIRE(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    // The last answer: all before it is done.
    std::string stream;
    char block[4096];
    const auto is_answered = [&stream] {
      const auto packets = usbredir_packets(stream);
      return !packets.empty() && packets.back().id == 4;
    };
    while (!is_answered()) {
      const ssize_t got = ::recv(connection.get(), block, sizeof block, 0);
      REQUIRE(got > 0);
      stream.append(block, static_cast<std::size_t>(got));
    }
  }
  static fs::path socket_of(const CaseDir& dir, int number) { return dir.path() / ("s" + std::to_string(number)); }

  Process process;
  usbloop::Fd connection;
};

}  // namespace

TEST_CASE("an idle device of each kind takes less than 1 % of a processor") {
  const CaseDir dir;
  std::vector<std::string> specs = {"keyboard", "mouse",      "serial",
                                    "ftdi",     "camera",     "camera,transfers=isochronous",
                                    "network",  "microphone", "speaker"};
  for (const char* kind : {"stick", "ssd"}) {
    const fs::path image = dir.path() / (std::string(kind) + ".img");
    make_random_image(image, 1 << 20, 1);
    specs.push_back(std::string(kind) + ",image=" + image.string());
  }
  std::vector<IdleDevice> devices;
  for (const std::string& spec : specs) devices.emplace_back(dir, spec, static_cast<int>(devices.size()));
  std::vector<milliseconds> before;
  for (const IdleDevice& device : devices) before.push_back(cpu_time(device.process.pid()));
  // What is measured is a time in which nothing happens. A processor's time is counted in steps of 10 ms.
  constexpr milliseconds kTime = 3s, kMost = kTime / 100;
  std::this_thread::sleep_for(kTime);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    CAPTURE(specs[i]);
    CHECK((cpu_time(devices[i].process.pid()) - before[i]).count() < kMost.count());
    devices[i].process.signal(SIGTERM);
    CHECK(devices[i].process.wait_exit(10s).code == 0);
  }
}
