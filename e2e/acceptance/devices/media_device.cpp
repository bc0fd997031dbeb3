// QEMU's MTP device: the guest opens a session, lists the folder behind it and fetches the file that stands there.
#include "e2e/acceptance/devices/tty.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytes = 3000;

// Containers of PTP over USB: length, type, code, transaction, then parameters or data; all little-endian.
constexpr std::size_t kHeader = 12;
constexpr int kCommand = 1;
constexpr int kData = 2;
constexpr int kResponse = 3;
constexpr int kOpenSession = 0x1002;
constexpr int kGetObjectHandles = 0x1007;
constexpr int kGetObject = 0x1009;
constexpr int kOk = 0x2001;
constexpr std::uint32_t kStorage = 0x00010001;
constexpr std::uint32_t kTopFolder = 0xffffffff;

/// One session of the guest with the device.
class Session {
 public:
  explicit Session(GuestTty& tty) : tty_(tty) {}

  /// A command without data.
  void run(int code, const std::vector<std::uint32_t>& parameters) {
    send(code, parameters);
    expect_ok(tty_.receive(kHeader));
  }

  /// A command that brings `size` bytes.
  std::string fetch(int code, const std::vector<std::uint32_t>& parameters, std::size_t size) {
    send(code, parameters);
    const std::string answer = tty_.receive(kHeader + size + kHeader);
    if (number_at(answer, 0, 4) != kHeader + size || number_at(answer, 4, 2) != kData) {
      throw Failure("the device's data are not of the size that was expected");
    }
    expect_ok(answer.substr(kHeader + size));
    return answer.substr(kHeader, size);
  }

 private:
  void send(int code, const std::vector<std::uint32_t>& parameters) {
    std::string body;
    for (const std::uint32_t parameter : parameters) body += little_endian(parameter, 4);
    tty_.send(little_endian(kHeader + body.size(), 4) + little_endian(kCommand, 2) +
              little_endian(static_cast<std::uint64_t>(code), 2) + little_endian(++transaction_, 4) + body);
  }

  void expect_ok(const std::string& response) const {
    const bool ok = number_at(response, 4, 2) == kResponse && number_at(response, 6, 2) == kOk &&
                    number_at(response, 8, 4) == transaction_;
    if (!ok) throw Failure("the device refuses, with code " + std::to_string(number_at(response, 6, 2)));
  }

  GuestTty& tty_;
  std::uint32_t transaction_ = 0;
};

class MediaDevice : public Device {
 public:
  explicit MediaDevice(std::string name) : name_(std::move(name)) {}

  std::vector<std::string> backend(const fs::path& dir) override {
    folder_ = dir / name_;
    fs::create_directory(folder_);
    return {};
  }

  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    content_ = random_bytes(kFileBytes, ++plugged_);
    write_file(folder_ / "photo.jpg", content_);
    machine.plug("usb-mtp,rootdir=" + folder_.string() + "," + port, id);
  }

  void exchange(ClientMachine&, const GuestPort& port, int) override {
    if (!driver_told_) give_to_serial_driver(port.console, "46f4 0004");
    driver_told_ = true;
    GuestTty tty(port);
    Session session(tty);
    session.run(kOpenSession, {1});
    const std::string handles = session.fetch(kGetObjectHandles, {kStorage, 0, kTopFolder}, 8);
    if (number_at(handles, 0, 4) != 1) throw Failure("the device lists another number of files than one");
    const auto handle = static_cast<std::uint32_t>(number_at(handles, 4, 4));
    if (session.fetch(kGetObject, {handle}, kFileBytes) != content_) throw Failure("the guest got another file");
  }

 private:
  const std::string name_;
  fs::path folder_;
  std::string content_;
  std::uint64_t plugged_ = 0;
  bool driver_told_ = false;
};

}  // namespace

DevicePtr make_media_device(const std::string& name) { return std::make_unique<MediaDevice>(name); }

}  // namespace usbloop::e2e
