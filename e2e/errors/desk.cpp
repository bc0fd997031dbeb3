#include "e2e/errors/desk.h"

#include "e2e/harness/image.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {
namespace {

/// A device in umockdev's notation.
std::string made_up(int port, int number, const std::string& descriptors) {
  const std::string digits = std::to_string(number);
  const std::string node = "bus/usb/001/00" + digits;
  return "P: /devices/pci0000:00/usb1/1-" + std::to_string(port) + "\nN: " + node + "\nE: BUSNUM=001\nE: DEVNUM=00" +
         digits + "\nE: DEVNAME=/dev/" + node + "\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nA: busnum=1\\n\n" +
         "A: devnum=" + digits + "\\n\nA: speed=480\\n\nA: bConfigurationValue=1\\n\nA: serial=serial-" + digits +
         "\\n\nH: descriptors=" + descriptors + "\n\n";
}

constexpr const char* kStick =
    "1201000200000040510966160100010203010902200001010080320904000002080650000705810200020007050202000200";
constexpr const char* kKeyboard =
    "12010002000000406d041cc30001010203010902220001010080320904000001030101000921110100012"
    "23f000705810308000a";
constexpr const char* kHub = "12010002090001406b1d020000010000000109021900010100e0000904000001090000000705810304000c";

constexpr const char* kWithStick =
    "USBLOOP_USB_FAULT=$1 LD_PRELOAD=\"$2:$LD_PRELOAD\"; export USBLOOP_USB_FAULT "
    "LD_PRELOAD; shift 2; exec \"$@\"";

}  // namespace

Desk::Desk() {
  make_random_image(dir_.path() / "stick.img", 1 << 20, 1);
  // All at once: the node never says again that it lives, and gets no pod any more after a while.
  for (const char* vmi : {"demo", "lost", "short"}) node_.add_running_vmi(vmi);
}

std::string Desk::stick() const { return "stick,image=" + (dir_.path() / "stick.img").string() + ",id=0951:1666,ro"; }

Process Desk::start_emulated(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--kubeconfig", loop_.kubeconfig(), "--emulate", stick()});
  return start_client(dir_, next_name(), arguments);
}

Outcome Desk::emulated(std::vector<std::string> arguments) {
  Process client = start_emulated(std::move(arguments));
  return end(client);
}

Outcome Desk::plain(std::vector<std::string> arguments, std::map<std::string, std::string> env) {
  Process client = start_client(dir_, next_name(), std::move(arguments), std::move(env));
  return end(client);
}

Process Desk::start_local(std::vector<std::string> arguments, const std::string& fault, bool hub_alone) {
  const std::string name = next_name();
  std::string devices = made_up(4, 7, kHub);
  if (!hub_alone) devices += made_up(1, 3, kStick) + made_up(2, 4, kStick) + made_up(3, 6, kKeyboard);
  std::vector<std::string> argv = {"umockdev-run", "-d", file(name + ".devices", devices)};
  for (const char* node : {"/dev/bus/usb/001/003", "/dev/bus/usb/001/004", "/dev/bus/usb/001/006"}) {
    if (hub_alone) break;
    const std::string ioctls = std::string("@DEV ") + node + "\nUSBDEVFS_GET_CAPABILITIES 0 63\n";
    argv.insert(argv.end(), {"-i", std::string(node) + "=" + file(name + ".ioctls" + node[19], ioctls)});
  }
  argv.insert(argv.end(), {"--", "sh", "-c", kWithStick, "sh", fault, USBLOOP_USB_FAULT_LIBRARY});
  argv.push_back(kubectl_usbredir().string());
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Process({.name = name,
                  .argv = std::move(argv),
                  .log_dir = dir_.path(),
                  .env = {{"TMPDIR", dir_.path().string()}, {"HOME", home().string()}, {"KUBECONFIG", ""}}});
}

Outcome Desk::local(std::vector<std::string> arguments, const std::string& fault, bool hub_alone) {
  Process client = start_local(std::move(arguments), fault, hub_alone);
  return end(client);
}

Outcome Desk::end(Process& client) {
  const ExitStatus status = client.wait_exit(30s);
  return {client.output(), status.code};
}

std::vector<std::string> Desk::server_with(const std::string& token) const {
  const auto& api = loop_.api();
  return {"--server",
          "https://" + api.host() + ":" + std::to_string(api.port()),
          "--certificate-authority",
          api.ca_file(),
          "--token",
          token,
          "--emulate",
          stick()};
}

std::string Desk::kubeconfig_with_user(const std::string& user) const {
  const auto& api = loop_.api();
  return file(
      "user.kubeconfig",
      "apiVersion: v1\nkind: Config\ncurrent-context: lab\ncontexts: [{name: lab, context: {cluster: lab, user: "
      "me}}]\nclusters: [{name: lab, cluster: {certificate-authority: " +
          api.ca_file().string() + ", server: \"https://" + api.host() + ":" + std::to_string(api.port()) +
          "\"}}]\nusers: [{name: me, user: {" + user + "}}]\n");
}

std::string Desk::file(const std::string& name, const std::string& text) const {
  write_file(dir_.path() / name, text);
  return dir_.path() / name;
}

}  // namespace usbloop::e2e
