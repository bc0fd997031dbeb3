#pragma once

#include <string>

namespace usbloop::launcher {

/// Which machine this is, as kubelet tells it in a node's status. What the machine does not say is empty.
struct MachineIdentity {
  std::string boot_id;      ///< the kernel's, new with each boot
  std::string machine_id;   ///< /etc/machine-id, machine-id(5)
  std::string system_uuid;  ///< the firmware's; only root may read it: else the machine's id, as kubelet does
  std::string os_image;     ///< PRETTY_NAME of os-release(5), "Linux" without one
};

/// `root`: where the machine's files are; "/" but in tests.
MachineIdentity read_machine_identity(const std::string& root = "/");

}  // namespace usbloop::launcher
