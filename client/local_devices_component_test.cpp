#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/process.h"
#include "common/test_text.h"

// The real program and the real libusb, on a machine whose USB devices umockdev makes up.

using namespace usbloop;
using usbloop::testing::contains;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

/// A device of the made-up machine, in umockdev's notation: a descriptor with one mass-storage interface.
std::string mock_device(int port, int number, const std::string& product) {
  const std::string digits = std::to_string(number);
  const std::string node = "bus/usb/001/00" + digits;
  return "P: /devices/pci0000:00/usb1/1-" + std::to_string(port) + "\nN: " + node + "\nE: BUSNUM=001\nE: DEVNUM=00" +
         digits + "\nE: DEVNAME=/dev/" + node +
         "\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\nA: busnum=1\\n\nA: devnum=" + digits +
         "\\n\nA: speed=480\\n\nA: bConfigurationValue=1\\n\nA: serial=serial-" + digits +
         "\\n\nA: product=" + product +
         "\\n\nH: descriptors=120100020000004051096616010001020301"
         "0902200001010080320904000002080650000705810200020007050202000200\n\n";
}

/// A keyboard, 1-6 at port 3: one interface of class 3, subclass 1, protocol 1.
std::string mock_keyboard() {
  std::string text = mock_device(3, 6, "Keys");
  const auto descriptors = text.find("H: descriptors=");
  return text.substr(0, descriptors) +
         "H: descriptors=12010002000000406d041cc30001010203010902220001010080320904000001030101000921110100012"
         "23f000705810308000a\n\n";
}

class Machine {
 public:
  Machine() {
    std::string pattern = (fs::temp_directory_path() / "usbloop-devices-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    std::ofstream(path_ / "devices") << mock_device(1, 3, "First") << mock_device(2, 4, "Second") << mock_keyboard();
  }
  ~Machine() { fs::remove_all(path_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] Outcome run(std::vector<std::string> arguments) const {
    return run_as(USBLOOP_CLIENT, std::move(arguments));
  }
  [[nodiscard]] Outcome run_as(const std::string& program, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"umockdev-run", "-d", (path_ / "devices").string(), "--", program});
    return run_plainly(std::move(arguments));
  }

  /// The program under another name.
  [[nodiscard]] std::string link(const std::string& name) const {
    fs::create_symlink(USBLOOP_CLIENT, path_ / name);
    return (path_ / name).string();
  }

  /// The program at a terminal, where these answers are typed. What it says is in `out`.
  [[nodiscard]] Outcome run_at_terminal(const std::string& arguments, const std::string& answers) const {
    const std::string command =
        "umockdev-run -d " + (path_ / "devices").string() + " -- " + USBLOOP_CLIENT + " " + arguments;
    return run_plainly({"sh", "-c", "printf '" + answers + "' | script -qec '" + command + "' /dev/null"});
  }

  /// Writes the person's configuration file.
  void configure(const std::string& text) const {
    const auto folder = path_ / ".config" / "usbloop";
    fs::create_directories(folder);
    std::ofstream(folder / "usbredir.conf") << text;
  }

  [[nodiscard]] Outcome run_plainly(std::vector<std::string> argv) const {
    const auto out = (path_ / "out").string();
    const auto err = (path_ / "err").string();
    fs::remove(out);
    fs::remove(err);
    ProcessSpec spec;
    spec.argv = std::move(argv);
    spec.environment = {{"HOME", path_.string()}, {"KUBECONFIG", ""}, {"XDG_CONFIG_HOME", ""}, {"TERM", "xterm"}};
    spec.standard_output = Output::to_file(out);
    spec.standard_error = Output::to_file(err);
    auto process = Process::spawn(spec);
    REQUIRE_MESSAGE(process, process.error().message());
    const auto status = process->wait(std::chrono::seconds(20));
    REQUIRE(status);
    REQUIRE(status->signal == 0);
    return {status->code, read(out), read(err)};
  }

 private:
  static std::string read(const std::string& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  fs::path path_;
};

/// Ends the test program as skipped where a tool is missing: a case of doctest cannot.
void need(const std::string& tool, const std::string& package) {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (::access((rest.substr(0, colon) + "/" + tool).c_str(), X_OK) == 0) return;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  std::puts(("skipped: " + tool + " is not installed (package " + package + ")").c_str());
  std::exit(77);
}
void need_umockdev() { need("umockdev-run", "umockdev"); }

}  // namespace

TEST_CASE("--list shows the devices of the machine") {
  need_umockdev();
  const Machine machine;
  const auto end = machine.run({"--list"});
  CHECK(end.code == 0);
  CHECK_MESSAGE(contains(end.out, "Bus 001 Device 003: ID 0951:1666"), end.out);
  CHECK_MESSAGE(contains(end.out, "Bus 001 Device 004: ID 0951:1666"), end.out);
}

TEST_CASE("doctor finds the device, whether it may be opened, and who holds it, and goes on without a cluster") {
  need_umockdev();
  const Machine machine;
  const auto found = machine.run({"doctor", "1-3", "demo", "--server", "https://127.0.0.1:1"});
  CHECK(found.code == 1);
  CHECK_MESSAGE(contains(found.out, "ok           device       1-3  0951:1666  First"), found.out);
  CHECK_MESSAGE(contains(found.out, "ok           permission   you may open"), found.out);
  CHECK_MESSAGE(contains(found.out, "driver       "), found.out);
  CHECK_MESSAGE(contains(found.out, "failed       server       https://127.0.0.1:1: Connection refused"), found.out);
  CHECK_MESSAGE(contains(found.out, "\n1 step failed.\n"), found.out);
  CHECK_MESSAGE(contains(found.out, "ok           policy       there are no filter rules"), found.out);
  const auto refused = machine.run(
      {"doctor", "1-3", "demo", "--server", "https://127.0.0.1:1", "--filter", "0x08,-1,-1,-1,0|-1,-1,-1,-1,1"});
  CHECK_MESSAGE(contains(refused.out, "failed       policy       the filter rule 0x08,-1,-1,-1,0 refuses it"),
                refused.out);
  CHECK(contains(refused.out, "The rules are those of --filter: "));
  const auto keyboard = machine.run({"doctor", "1-6", "demo", "--server", "https://127.0.0.1:1"});
  CHECK_MESSAGE(contains(keyboard.out, "failed       policy       it is a keyboard"), keyboard.out);
  const auto twins = machine.run({"doctor", "0951:1666", "demo", "--server", "https://127.0.0.1:1"});
  CHECK_MESSAGE(contains(twins.out, "failed       device"), twins.out);
  CHECK_MESSAGE(contains(twins.out, "1-4  0951:1666  Second"), twins.out);
  CHECK_MESSAGE(contains(twins.out, "\n2 steps failed.\n"), twins.out);
}

TEST_CASE("list -o wide and json tell what decides: port, speed, class, serial number") {
  need_umockdev();
  const Machine machine;
  const auto wide = machine.run({"list", "-o", "wide"});
  CHECK(wide.code == 0);
  CHECK_MESSAGE(contains(wide.out, "1-3          0951:1666   1-1    high    mass storage"), wide.out);
  CHECK_MESSAGE(contains(wide.out, "serial-4"), wide.out);
  const auto json = machine.run({"list", "-o", "json"});
  CHECK(json.code == 0);
  CHECK_MESSAGE(contains(json.out, "\"serial\": \"serial-3\""), json.out);
}

TEST_CASE("a twin is named by its port and by its serial number: only the kubeconfig is missing then") {
  need_umockdev();
  const Machine machine;
  for (const char* selector : {"port=1-2", "serial=serial-4", "001:004"}) {
    const auto end = machine.run({selector, "vm/demo"});
    CHECK(end.code == 1);
    CHECK_MESSAGE(contains(end.err, "cannot read kubeconfig"), end.err);
  }
  const auto none = machine.run({"serial=serial-5", "demo"});
  CHECK(none.code == 1);
  CHECK_MESSAGE(contains(none.err, "cannot find USB device serial=serial-5: it is not plugged in"), none.err);
}

TEST_CASE("two devices of one kind are refused, and both are listed by their places") {
  need_umockdev();
  const Machine machine;
  const auto end = machine.run({"0951:1666", "demo"});
  CHECK(end.code == 1);
  CHECK_MESSAGE(contains(end.err, "2 of them are plugged in"), end.err);
  CHECK(contains(end.err, "1-3  0951:1666  First  port=1-1  serial=serial-3"));
  CHECK(contains(end.err, "1-4  0951:1666  Second  port=1-2  serial=serial-4"));
}

TEST_CASE("a device that is not plugged in is refused with what is there") {
  need_umockdev();
  const Machine machine;
  for (const char* selector : {"dead:beef", "1-5"}) {
    const auto end = machine.run({selector, "demo"});
    CHECK(end.code == 1);
    CHECK_MESSAGE(contains(end.err, "cannot find USB device " + std::string(selector)), end.err);
    CHECK(contains(end.err, "1-3  0951:1666  First  port=1-1  serial=serial-3"));
  }
}

TEST_CASE("one of two devices of a kind can be named by its place: only the kubeconfig is missing then") {
  need_umockdev();
  const Machine machine;
  const auto end = machine.run({"01-004", "demo"});
  CHECK(end.code == 1);
  CHECK_MESSAGE(contains(end.err, "cannot read kubeconfig"), end.err);
}

TEST_CASE("several devices of one command: only the kubeconfig is missing then, unless one is missing or named twice") {
  need_umockdev();
  const Machine machine;
  const auto both = machine.run({"1-3", "serial=serial-4", "demo"});
  CHECK(both.code == 1);
  CHECK_MESSAGE(contains(both.err, "cannot read kubeconfig"), both.err);
  const auto twice = machine.run({"1-3", "port=1-1", "demo"});
  CHECK(twice.code == 1);
  CHECK_MESSAGE(contains(twice.err, "cannot redirect USB device port=1-1: it is the same device as 1-3"), twice.err);
  const auto missing = machine.run({"1-3", "1-9", "demo"});
  CHECK(missing.code == 1);
  CHECK_MESSAGE(contains(missing.err, "cannot find USB device 1-9"), missing.err);
}

TEST_CASE("a VMI without a device: a person is asked which ones, anybody else is told what to name") {
  need_umockdev();
  need("script", "bsdutils");
  const Machine machine;
  const auto picked = machine.run_at_terminal("demo", "2 1\\n");
  CHECK_MESSAGE(contains(picked.out, "  2)  1-4  0951:1666  Second  port=1-2  serial=serial-4"), picked.out);
  CHECK_MESSAGE(contains(picked.out, "Which ones? [1-2; several: 1 2]"), picked.out);  // not the keyboard
  CHECK_MESSAGE(contains(picked.out, "cannot read kubeconfig"), picked.out);
  const auto unasked = machine.run({"demo"});
  CHECK(unasked.code == 2);
  CHECK_MESSAGE(contains(unasked.err, "cannot choose a device for VMI demo: the arguments name none"), unasked.err);
  CHECK(contains(unasked.err, "0951:1666"));
}

TEST_CASE("a keyboard is refused unless it is forced, and under virtctl's name, which has no such flag") {
  need_umockdev();
  const Machine machine;
  const auto refused = machine.run({"1-6", "demo"});
  CHECK(refused.code == 1);
  CHECK_MESSAGE(contains(refused.err, "1-6  046d:c31c  Keys  port=1-3  serial=serial-6: it is a keyboard"),
                refused.err);
  CHECK_MESSAGE(contains(machine.run({"1-6", "demo", "--force"}).err, "cannot read kubeconfig"), refused.err);
  const auto name = machine.link("virtctl");
  CHECK(contains(machine.run_as(name, {"usbredir", "1-6", "demo"}).err, "cannot read kubeconfig"));
}

TEST_CASE("filter rules of the command line and of the configuration file refuse a device, and are named") {
  need_umockdev();
  const Machine machine;
  const auto by_flag = machine.run({"1-3", "demo", "--filter", "0x08,0x0951,-1,-1,0|-1,-1,-1,-1,1"});
  CHECK(by_flag.code == 1);
  CHECK_MESSAGE(contains(by_flag.err, "the filter rule 0x08,0x0951,-1,-1,0 refuses it"), by_flag.err);
  machine.configure("# no storage\nfilter = 0x08,-1,-1,-1,0\nfilter = -1,-1,-1,-1,1\n");
  const auto by_file = machine.run({"1-3", "demo", "--filter", "-1,-1,-1,-1,1"});
  CHECK(by_file.code == 1);
  CHECK_MESSAGE(contains(by_file.err, "the filter rule 0x08,-1,-1,-1,0 refuses it"), by_file.err);
  CHECK(contains(by_file.err, "/.config/usbloop/usbredir.conf"));
  const auto launched = machine.run({"--launch", "1-3", "demo"});
  CHECK_MESSAGE(contains(launched.err, "the filter rule 0x08,-1,-1,-1,0 refuses it"), launched.err);
  CHECK(contains(machine.run({"1-6", "demo", "--force"}).err, "cannot read kubeconfig"));
  machine.configure("filter = storage\n");
  const auto broken = machine.run({"1-6", "demo", "--force"});
  CHECK(broken.code == 1);
  CHECK_MESSAGE(contains(broken.err, "usbredir.conf, line 1: cannot use the filter rule \"storage\""), broken.err);
}

TEST_CASE("with -o json an error before all is an event on standard output") {
  need_umockdev();
  const Machine machine;
  const auto end = machine.run({"1-9", "demo", "-o", "json"});
  CHECK(end.code == 1);
  CHECK_MESSAGE(contains(end.out, R"("event":"error","message":"cannot find USB device 1-9)"), end.out);
  CHECK(end.err.empty());
}

TEST_CASE("the same program under virtctl's name takes what agents type: only the kubeconfig is missing then") {
  need_umockdev();
  const Machine machine;
  const auto name = machine.link("virtctl");
  const auto end = machine.run_as(name, {"--kubeconfig", "/nowhere/K", "usbredir", "1-4", "demo", "-n", "team"});
  CHECK(end.code == 1);
  CHECK_MESSAGE(contains(end.err, "cannot read kubeconfig /nowhere/K"), end.err);
  const auto other = machine.run_plainly({name, "start", "demo"});
  CHECK(other.code == 2);
  CHECK_MESSAGE(contains(other.err, "this program only knows usbredir"), other.err);
}

TEST_CASE("the same program under its second name says so in its help") {
  const Machine machine;
  const auto end = machine.run_plainly({std::string(USBLOOP_CLIENT_DIR) + "/usbredir", "--help"});
  CHECK(end.code == 0);
  CHECK(contains(end.out, "usbredir 0951:1666 demo"));
  CHECK_FALSE(contains(end.out, "kubectl usbredir"));
}
