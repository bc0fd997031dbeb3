// QEMU's network adapter: the guest pings the host on the cable, and fetches a file from it.
#include "e2e/acceptance/devices/device.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

constexpr std::size_t kServedBytes = 30000;

class NetworkAdapter : public Device {
 public:
  std::vector<std::string> backend(const std::filesystem::path& dir) override {
    folder_ = dir / "server";
    std::filesystem::create_directory(folder_);
    return {"-netdev", "user,id=cable,restrict=on,tftp=" + folder_.string()};
  }

  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    machine.plug("usb-net,netdev=cable," + port, id);
  }

  void exchange(ClientMachine&, const GuestPort& port, int round) override {
    const std::string path = port.wait_path(port.name + ":*/net/*");
    const std::string interface = path.substr(path.rfind('/') + 1);
    const std::string content = random_bytes(kServedBytes, static_cast<std::uint64_t>(round));
    write_file(folder_ / "file", content);
    port.console.must_run("ip link set " + interface + " up && ip addr add 10.0.2.15/24 dev " + interface);
    // An echo carries the same kilobyte there and back, and ping looks at its sum.
    port.console.must_run("ping -c 3 -s 1000 -W 10 10.0.2.2 >/dev/null", 60s);
    // Newer busybox shows its progress on standard output.
    const std::string fetch = "tftp -g -r file -l /tmp/fetched 10.0.2.2 >/dev/null 2>&1 && sha256sum </tmp/fetched";
    if (port.console.must_run(fetch, 60s).substr(0, 64) != sha256_of(content)) {
      throw Failure("the guest fetched other bytes");
    }
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace

DevicePtr make_network_adapter() { return std::make_unique<NetworkAdapter>(); }

}  // namespace usbloop::e2e
