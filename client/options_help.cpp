#include "client/options_help.h"

#include <algorithm>
#include <string>
#include <utility>

namespace usbloop::client {

std::string help_footer(const std::string& program) {
  const std::pair<const char*, const char*> examples[] = {
      {" 0951:1666 demo", "the device that lsusb shows as \"ID 0951:1666\""},
      {" 1-3 demo", "the device that lsusb shows as \"Bus 001 Device 003\""},
      {" 1-3 demo -n team --context lab", "another namespace and another cluster"},
      {" --emulate stick,image=disk.img demo", "an emulated USB stick: no hardware needed"},
      {" --desk desk.yaml 01-03 demo", "a device of a desk of emulated ones (device-sim desk)"},
      {" port=1-2.3 vm/demo", "the device at a port; a VM's machine"},
      {" serial=60A44C413FDE demo", "the device with that serial number"},
      {" 0951:1666 1-4 demo", "two devices, a slot each"},
      {" demo", "asks at a terminal which devices"},
      {" --launch 0951:1666 demo", "by the program usbredirect, as virtctl does it"},
      {" --no-launch demo", "by a usbredir program that you start"},
      {" list", "the devices of this machine, as lsusb lists them"},
      {" list -o wide", "also whether you may use them, and their ports and serial numbers"},
      {" doctor 0951:1666 demo", "what stands in the way: device, server, rights, VMI, slot"},
      {" completion bash", "what teaches bash (zsh, fish) to complete this; see docs/client.md"},
      {" --give-back 1-3", "back to its driver here, if a redirection could not do so"},
  };
  constexpr std::size_t kWidth = 40;
  std::string text = "Examples:\n";
  for (const auto& [arguments, meaning] : examples) {
    std::string command = arguments;
    command.resize(std::max(command.size(), kWidth), ' ');
    text += "  " + program + command + meaning + "\n";
  }
  return text + R"(
The VMI must be running, and must have been started with
  spec: {domain: {devices: {clientPassthrough: {}}}}
It takes up to four devices at a time. Each goes on when another of the command ends. A device is taken from its driver here while it is redirected, and given
back at the end, even if this program is killed: unmount a stick first. A keyboard needs --force. Filter rules of
every call: ~/.config/usbloop/usbredir.conf.

Exit status:
  0  ended as asked (Ctrl-C, SIGTERM; with --once also closed by the server in good order)
  1  refused, failed, or cannot come back (the VMI is deleted, access is revoked); with --once also lost or unplugged
  2  wrong usage
With several devices it is the worst of theirs.
)";
}

}  // namespace usbloop::client
