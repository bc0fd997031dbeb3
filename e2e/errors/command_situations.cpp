// What is wrong with the command line, with this machine's files, and with programs that are started.
#include <sys/resource.h>

#include <csignal>

#include "e2e/errors/desk.h"
#include "e2e/harness/failure.h"
#include "e2e/harness/usbredir_bytes.h"

namespace usbloop::e2e {
namespace {

Outcome exec_plugin(Desk& desk, const std::string& command) {
  const std::string config = desk.kubeconfig_with_user(
      "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + command + "}");
  return desk.plain({"--kubeconfig", config, "--emulate", desk.stick(), "demo"});
}

/// The file may not grow beyond what it has when the device is there: a write fails, as it does on a full disk.
Outcome full_disk(Desk& desk) {
  Process client = desk.start_emulated({"--capture", desk.dir().path() / "usb.pcapng", "demo"});
  RawWebsocket far = desk.node().accept_websocket();
  const rlimit limit{512, 512};
  if (::prlimit(client.pid(), RLIMIT_FSIZE, &limit, nullptr) != 0) throw Failure("prlimit");
  far.send({.payload = qemu_hello(), .masked = false});
  client.wait_err("Redirecting", 10s);
  for (std::uint64_t id = 1; id <= 8; ++id) far.send({.payload = get_device_descriptor(id), .masked = false});
  client.wait_err("cannot capture|cannot write", 10s);
  client.signal(SIGINT);
  return Desk::end(client);
}

}  // namespace

void add_command_situations(Situations& all) {
  all["the command line is wrong"] = [](Desk& desk) { return desk.emulated({"--frobnicate", "demo"}); };
  all["no device is named, and nobody can be asked"] = [](Desk& desk) { return desk.plain({"demo"}); };
  all["a filter rule cannot be understood"] = [](Desk& desk) { return desk.emulated({"--filter", "storage", "demo"}); };
  all["there is no such emulated device"] = [](Desk& desk) { return desk.plain({"--emulate", "toaster", "demo"}); };
  all["the VMI's name is none"] = [](Desk& desk) { return desk.emulated({"Demo_1"}); };
  all["there is no kubeconfig"] = [](Desk& desk) { return desk.plain({"--emulate", desk.stick(), "demo"}); };
  all["the kubeconfig is no YAML"] = [](Desk& desk) {
    const auto config = desk.file("broken.kubeconfig", "clusters: [\n");
    return desk.plain({"--kubeconfig", config, "--emulate", desk.stick(), "demo"});
  };
  all["the kubeconfig has no such context"] = [](Desk& desk) { return desk.emulated({"--context", "lab2", "demo"}); };
  all["the kubeconfig's plugin is not installed"] = [](Desk& desk) { return exec_plugin(desk, "usbloop-no-plugin"); };
  all["the kubeconfig's plugin fails"] = [](Desk& desk) { return exec_plugin(desk, "/bin/false"); };
  all["the capture's folder is missing"] = [](Desk& desk) {
    return desk.emulated({"--capture", desk.dir().path() / "none/usb.pcapng", "demo"});
  };
  all["the capture's disk is full at once"] = [](Desk& desk) {
    return desk.emulated({"--capture", "/dev/full", "demo"});
  };
  all["the disk is full while capturing"] = full_disk;
  all["--launch finds no usbredirect"] = [](Desk& desk) {
    return desk.local({"--kubeconfig", desk.loop().kubeconfig(), "--launch=usbloop-no-program", "1-3", "demo"});
  };
  all["the program of --launch ends before it connects"] = [](Desk& desk) {
    Process client = desk.start_local({"--kubeconfig", desk.loop().kubeconfig(), "--launch=/bin/true", "1-3", "demo"});
    const RawWebsocket slot = desk.node().accept_websocket();
    return Desk::end(client);
  };
}

}  // namespace usbloop::e2e
