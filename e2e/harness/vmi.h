#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "e2e/harness/guest_console.h"
#include "e2e/harness/loop.h"

namespace usbloop::e2e {

struct VmiOptions {
  bool client_passthrough = true;
  std::map<std::string, std::string> node_selector = {};
  std::string memory = "256Mi";  ///< the shape whose template a launcher makes when it starts
  std::string ns = "default";
  std::optional<std::int64_t> grace_seconds = std::nullopt;  ///< terminationGracePeriodSeconds
};

/// The object to POST.
nlohmann::json vmi_manifest(const std::string& name, const VmiOptions& options = {});

/// Address of the list of VMIs of a namespace, and of one VMI's usbredir subresource.
std::string vmis_path(const std::string& ns = "default");
std::string subresource_path(const std::string& name, const std::string& subresource,
                             const std::string& ns = "default");
std::string usbredir_path(const std::string& name, const std::string& ns = "default");

/// One VirtualMachineInstance of a loop.
class Vmi {
 public:
  /// Creates the object; does not wait. Throws Failure unless the server answers 201.
  Vmi(Loop& loop, std::string name, VmiOptions options = {});

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& uid() const { return uid_; }
  [[nodiscard]] nlohmann::json object() const;

  /// By watch. Throws Failure when the phase is not reached in time.
  void wait_phase(const std::string& phase, milliseconds timeout = 30s) const;
  /// Deletes the object and waits by watch until it is gone.
  void remove(milliseconds timeout = 20s);

  /// Of the VMI's QEMU, on the node it runs on.
  [[nodiscard]] std::filesystem::path run_dir() const;
  [[nodiscard]] pid_t qemu_pid() const;

  /// Waits for Running and for the guest's shell; the console then stays connected.
  GuestConsole& boot();
  GuestConsole& console() { return *console_; }

 private:
  Loop* loop_;
  std::string name_;
  std::string ns_;
  std::string uid_;
  std::unique_ptr<GuestConsole> console_;
};

}  // namespace usbloop::e2e
