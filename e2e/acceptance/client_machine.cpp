#include "e2e/acceptance/client_machine.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "e2e/harness/failure.h"
#include "e2e/harness/programs.h"

namespace usbloop::e2e {
namespace {

constexpr const char* kMonitor = "qmp";  // QEMU's, in its directory
constexpr const char* kClient = "/tmp/bin/kubectl-usbredir --kubeconfig /tmp/kubeconfig ";

PlainGuestOptions machine_options(std::vector<std::string> devices) {
  const auto shared = [](const std::string& path, const std::string& tag) {
    return "local,path=" + path + ",mount_tag=" + tag + ",security_model=none,readonly=on,multidevs=remap";
  };
  // The programs have a mount of their own: the build may stand in a directory that the machine's /tmp hides.
  devices.insert(devices.end(),
                 {"-virtfs", shared("/", "host"), "-virtfs", shared(kubectl_usbredir().parent_path().string(), "bin"),
                  "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=", "-qmp",
                  std::string("unix:") + kMonitor + ",server=on,wait=off"});
  return {.name = "client-machine",
          .memory = "384M",
          .kernel_parameters = "usbloop.role=client",
          .arguments = std::move(devices)};
}

}  // namespace

ClientMachine::ClientMachine(const CaseDir& dir, std::vector<std::string> devices,
                             const std::filesystem::path& kubeconfig)
    : machine_(dir, machine_options(std::move(devices))), hardware_(machine_.dir() / kMonitor) {
  GuestConsole& shell = machine_.boot();
  shell.must_run("mkdir /h/tmp/bin && mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose bin /h/tmp/bin");
  const std::regex loopback("https://127\\.0\\.0\\.1:");
  std::istringstream lines(std::regex_replace(read_file(kubeconfig), loopback, "https://10.0.2.2:"));
  std::string line;
  // Line by line: the console takes lines of at most 4095 bytes.
  while (std::getline(lines, line)) shell.must_run("echo '" + line + "' >> /h/tmp/kubeconfig");
  shell.must_run("chmod 644 /h/tmp/kubeconfig");
}

void ClientMachine::plug(const std::string& device, const std::string& id) {
  hardware_.monitor("device_add " + device + ",id=" + id);
}

void ClientMachine::unplug(const std::string& id) { hardware_.run("device_del", {{"id", id}}); }

std::string ClientMachine::bus_device(const std::string& port) {
  const std::string device = "/sys/bus/usb/devices/" + port;
  wait_until("a device on port " + port + " of the client's machine", 30s,
             [&] { return console().run("test -e " + device + "/devnum").status == 0; });
  return console().must_run("echo $(cat " + device + "/busnum)-$(cat " + device + "/devnum)");
}

GuestResult ClientMachine::run_client(const std::string& arguments, const std::string& as_user) {
  const std::string user = as_user.empty() ? "" : "/usr/sbin/chroot --userspec=" + as_user + " / ";
  return console().run("host " + user + kClient + arguments + " 2>&1", 60s);
}

std::string ClientMachine::start_client(const std::string& arguments, std::size_t devices) {
  // A shell without job control has its background commands ignore SIGINT; env undoes that.
  console().must_run(std::string("rm -f /tmp/client.log; host /usr/bin/env --default-signal=INT ") + kClient +
                     arguments + " >/tmp/client.log 2>&1 & echo $! > /tmp/client.pid");
  std::string line;
  wait_until("the client in its machine to redirect", 90s, [&] {
    // Of several devices each line has the device's name in front.
    line = console().run("grep -E '^([^ ]+: )?Redirecting' /tmp/client.log").output;
    const bool ended = console().run("kill -0 $(cat /tmp/client.pid)").status != 0;
    if (ended) throw Failure("the client in its machine ended: " + client_output());
    const auto newlines = static_cast<std::size_t>(std::count(line.begin(), line.end(), '\n'));
    return !line.empty() && newlines + 1 >= devices;
  });
  return line.substr(0, line.find('\n'));
}

int ClientMachine::stop_client(const std::string& signal) {
  return console().run("kill -" + signal + " $(cat /tmp/client.pid); wait $(cat /tmp/client.pid)", 60s).status;
}

int ClientMachine::status_after(const std::function<void()>& cause) {
  // The wait begins before the end: the shell forgets the status of a job that has ended.
  console().start("wait $(cat /tmp/client.pid)");
  cause();
  return console().finish(60s).status;
}

void ClientMachine::kill_client() { console().must_run("kill -KILL $(cat /tmp/client.pid)"); }

void ClientMachine::kill_client_if_any() {
  console().run("kill -KILL $(cat /tmp/client.pid); wait $(cat /tmp/client.pid)");
}

void ClientMachine::unplug_if_there(const std::string& id) {
  try {
    unplug(id);
  } catch (const Failure&) {  // it is not
  }
}

std::string ClientMachine::client_output() { return console().run("cat /tmp/client.log").output; }

}  // namespace usbloop::e2e
