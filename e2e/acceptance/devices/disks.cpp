// Sticks and disks: read whole in the guest, written in the guest, and the image here looked at.
#include "e2e/acceptance/devices/device.h"
#include "e2e/harness/client.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/image.h"

namespace usbloop::e2e {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBytes = 1 << 20;
constexpr std::size_t kSector = 512;

class Disk : public Device {
 public:
  explicit Disk(std::string name) : name_(std::move(name)), content_(random_bytes(kBytes, name_.size())) {}

  std::vector<std::string> backend(const fs::path& dir) override {
    image_ = dir / (name_ + ".img");
    write_file(image_, content_);
    return {"-blockdev", "driver=raw,node-name=" + name_ + ",file.driver=file,file.filename=" + image_.string()};
  }

  void exchange(ClientMachine&, const GuestPort& port, int round) override {
    const std::string disk = wait_disk(port.console, port.name, 30s);
    if (guest_sha256(port.console, disk, kBytes) != sha256_of(content_)) throw Failure("the guest read other bytes");
    const std::string text = "round " + std::to_string(round);
    const auto sector = static_cast<std::size_t>(7 + round);
    port.console.must_run("printf '" + text + "' | dd of=/dev/" + disk + " bs=512 seek=" + std::to_string(sector) +
                          " conv=notrunc,fsync 2>/dev/null");
    content_.replace(sector * kSector, text.size(), text);
    if (read_file(image_) != content_) throw Failure("the image does not hold what the guest wrote");
  }

 protected:
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const std::string name_;
  std::string content_;
  fs::path image_;
};

class BulkOnlyStick : public Disk {
 public:
  using Disk::Disk;
  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    machine.plug("usb-storage,drive=" + name() + "," + port, id);
  }
};

/// A UAS device is seen by the machine once its disk is in it.
class UasDisk : public Disk {
 public:
  using Disk::Disk;
  void plug(ClientMachine& machine, const std::string& port, const std::string& id) override {
    machine.plug("usb-uas," + port, id);
    machine.plug("scsi-hd,bus=" + id + ".0,drive=" + name(), "disk");
    machine.hardware().run("qom-set",
                           {{"path", "/machine/peripheral/" + id}, {"property", "attached"}, {"value", true}});
  }
};

}  // namespace

DevicePtr make_stick(const std::string& name) { return std::make_unique<BulkOnlyStick>(name); }
DevicePtr make_uas_disk(const std::string& name) { return std::make_unique<UasDisk>(name); }

}  // namespace usbloop::e2e
