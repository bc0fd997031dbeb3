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

class Machine {
 public:
  Machine() {
    std::string pattern = (fs::temp_directory_path() / "usbloop-devices-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    std::ofstream(path_ / "devices") << mock_device(1, 3, "First") << mock_device(2, 4, "Second");
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

  [[nodiscard]] Outcome run_plainly(std::vector<std::string> argv) const {
    const auto out = (path_ / "out").string();
    const auto err = (path_ / "err").string();
    fs::remove(out);
    fs::remove(err);
    ProcessSpec spec;
    spec.argv = std::move(argv);
    spec.environment = {{"HOME", path_.string()}, {"KUBECONFIG", ""}};
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

/// Ends the test program as skipped where the tool is missing: a case of doctest cannot.
void need_umockdev() {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    if (::access((rest.substr(0, colon) + "/umockdev-run").c_str(), X_OK) == 0) return;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  std::puts("skipped: umockdev-run is not installed (package umockdev)");
  std::exit(77);
}

}  // namespace

TEST_CASE("--list shows the devices of the machine") {
  need_umockdev();
  const Machine machine;
  const auto end = machine.run({"--list"});
  CHECK(end.code == 0);
  CHECK_MESSAGE(contains(end.out, "Bus 001 Device 003: ID 0951:1666"), end.out);
  CHECK_MESSAGE(contains(end.out, "Bus 001 Device 004: ID 0951:1666"), end.out);
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
