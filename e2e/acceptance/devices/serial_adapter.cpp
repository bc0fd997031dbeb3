// QEMU's serial adapter (FTDI): the guest reads what the line's other end says, and the other way round.
#include <optional>

#include "e2e/acceptance/devices/tty.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

constexpr std::size_t kToGuest = 2048;
constexpr std::size_t kFromGuest = 600;  // in the guest's command line each takes four characters

class SerialAdapter : public Device {
 public:
  std::vector<std::string> backend(const std::filesystem::path&) override {
    return {"-chardev", "socket,id=line,path=line,server=on,wait=off"};
  }

  /// QEMU shows the adapter as plugged in while somebody is at the line's other end.
  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    if (!line_) line_.emplace(connect_unix(machine.dir() / "line"));
    machine.plug("usb-serial,chardev=line," + port, id);
  }

  void exchange(ClientMachine&, const GuestPort& port, int round) override {
    GuestTty tty(port);
    const auto seed = static_cast<std::uint64_t>(round);
    const std::string down = random_bytes(kToGuest, seed);
    tty.start_receiving(down.size());
    if (!line_->send(down, 30s, nullptr)) throw Failure("the serial line is closed");
    if (tty.finish_receiving() != down) throw Failure("the guest read other bytes than the line sent");

    const std::string up = random_bytes(kFromGuest, seed + 1000);
    tty.send(up);
    std::string received;
    while (received.size() < up.size() && line_->receive(received, 30s)) {
    }
    if (received != up) throw Failure("the line received other bytes than the guest wrote");
  }

 private:
  std::optional<PlainSocket> line_;
};

}  // namespace

DevicePtr make_serial_adapter() { return std::make_unique<SerialAdapter>(); }

}  // namespace usbloop::e2e
