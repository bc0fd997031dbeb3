#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "device-sim/desk/desk_file.h"
#include "device-sim/desk/device_info.h"
#include "device-sim/emulation/emulated_host.h"

namespace usbloop::desk {

/// The devices of a desk and what a person does with them: they outlive every redirection, and can be pulled out in the
/// middle of one. No I/O but that of the devices. Belongs to one thread.
class Desk {
 public:
  class Loan;
  class Watch;

  /// Makes the devices of the file, and opens their images. Errors: those of read_desk() and make_desk_device().
  static Result<std::unique_ptr<Desk>> open(const std::string& path);
  /// The same of entries that were read already.
  static Result<std::unique_ptr<Desk>> make(const std::string& path, std::vector<DeskEntry> entries);

  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// In the order of the file.
  [[nodiscard]] std::vector<DeviceInfo> list() const;
  [[nodiscard]] bool is_lent(std::string_view name) const;

  // What a person does. Errors: not_found (no device has that name), conflict (it is so already).

  Result<> plug(std::string_view name);
  /// Who has the device loses it at once.
  Result<> unplug(std::string_view name);
  /// Device::act(): `type` a text, `do` a script. Errors: also the device's.
  Result<> act(std::string_view name, std::string_view verb, std::string_view what);
  /// Another image in the place of its own: the device is made anew. Nothing has changed when that fails. Errors: also
  /// conflict while it is lent, and those of the image.
  Result<> attach(std::string_view name, const std::string& image);
  /// Whether attach() would find the image fit, also while the device is lent.
  [[nodiscard]] Result<> try_image(std::string_view name, const std::string& image) const;

  /// Lends a device to one redirection. Errors: not_found (also when it is not plugged in), conflict (somebody has it,
  /// who is named).
  Result<std::unique_ptr<Loan>> lend(std::string_view name, Holder holder);

 private:
  struct Placed;
  Desk(std::string path, std::vector<std::unique_ptr<Placed>> devices);
  [[nodiscard]] Placed* find(std::string_view name) const;
  Result<Placed*> find_or_error(const char* operation, std::string_view name) const;
  [[nodiscard]] Result<DeskEntry> entry_with(std::string_view name, const std::string& image) const;
  void tell();

  const std::string path_;
  std::vector<std::unique_ptr<Placed>> devices_;
  std::list<std::function<void()>*> watches_;
};

/// One redirection's hold on a device: the end of its usbredir stream. The device is free again when this has gone,
/// which must be before the desk.
class Desk::Loan {
 public:
  Loan(Desk& desk, Placed& placed, std::unique_ptr<device_sim::EmulatedHost> host);
  ~Loan();
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  [[nodiscard]] device_sim::EmulatedHost& host() { return *host_; }

 private:
  Desk& desk_;
  Placed& placed_;
  std::unique_ptr<device_sim::EmulatedHost> host_;
};

/// Calls `changed` at each change of what list() says, counters aside, as long as it lives. It must not change the
/// desk.
class Desk::Watch {
 public:
  Watch(Desk& desk, std::function<void()> changed);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  Desk& desk_;
  std::function<void()> changed_;
};

}  // namespace usbloop::desk
