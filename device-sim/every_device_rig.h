#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/fd.h"
#include "common/temp_dir.h"
#include "device-sim/emulation/emulated_host.h"
#include "device-sim/emulation/faulty_device.h"
#include "device-sim/emulation/forwarding_device.h"
#include "device-sim/kinds.h"
#include "device-sim/model/model_test_hello.h"
#include "device-sim/replay/replay_rig.h"
#include "device-sim/smart_card/smart_card_double.h"
#include "device-sim/smart_card/smart_card_reader.h"

// One device of each kind, for tests; no part of the library.
namespace usbloop::device_sim::test {

/// What the kinds need: images, a recording, a program that models a device and answers nothing.
class EveryDevice {
 public:
  EveryDevice() {
    listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = socket();
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_.get(), 1) == 0);
    replay::record(recording(), make({"keyboard", {{"text", "abc"}, {"delay", "0"}}}), [](auto& guest) {
      guest.enumerate();
      guest.guest.parser.send(++guest.id, usb_redir_start_interrupt_receiving_header{0x81});
      guest.carry();
    });
  }

  /// Descriptions that have each kind, some of them in several forms.
  [[nodiscard]] std::vector<DeviceSpec> specs() const {
    std::vector<DeviceSpec> all;
    for (const char* speed : {"full", "high", "super"}) {
      all.push_back({"stick", {{"image", image_}, {"speed", speed}}});
    }
    for (const char* speed : {"high", "super"}) all.push_back({"ssd", {{"image", image_}, {"speed", speed}}});
    all.push_back({"keyboard", {{"text", "abc\\n"}, {"delay", "0"}}});
    all.push_back({"keyboard", {{"text", "a\\{mute}"}, {"media", ""}, {"delay", "0"}}});
    all.push_back({"mouse", {{"do", "move:300:-2 click:left wheel:1"}, {"delay", "0"}}});
    for (const char* speed : {"full", "high"}) all.push_back({"serial", {{"speed", speed}}});
    all.push_back({"ftdi", {}});
    for (const char* way : {"bulk", "isochronous"}) all.push_back({"camera", {{"transfers", way}}});
    for (const char* kind : {"microphone", "speaker"}) {
      for (const char* speed : {"full", "high"}) all.push_back({kind, {{"speed", speed}}});
    }
    all.push_back({"network", {}});
    all.push_back({"smart-card", {}});
    all.push_back({"model", {{"socket", socket()}}});
    all.push_back({"replay", {{"file", recording()}}});
    return all;
  }

  std::unique_ptr<Device> make(const DeviceSpec& spec) {
    std::jthread greeter;
    if (spec.kind == "model") greeter = std::jthread([this] { greet(); });
    if (spec.kind == "smart-card") {
      // A process has one real card, which wants certificates.
      return std::make_unique<FaultyDevice>(
          std::make_unique<SmartCardReader>(SmartCardReaderOptions{}, std::make_unique<SmartCardDouble>()));
    }
    auto device = make_device(spec);
    REQUIRE_MESSAGE(device, device.error().message());
    return std::move(*device);
  }

 private:
  void greet() {
    program_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string line = std::string(kModelHello) + "\n";
    static_cast<void>(::send(program_.get(), line.data(), line.size(), MSG_NOSIGNAL));
  }
  [[nodiscard]] std::string socket() const { return (dir_.path / "model.sock").string(); }
  [[nodiscard]] std::string recording() const { return (dir_.path / "keys.pcapng").string(); }

  const testing::TempDir dir_;
  const std::string image_ = dir_.file("disk.img", 64 * kBlockSize);
  Fd listener_, program_;
};

/// A device of a desk, which outlives its redirections.
class Lent final : public ForwardingDevice {
 public:
  explicit Lent(Device& device) : ForwardingDevice(device) {}
};

}  // namespace usbloop::device_sim::test
