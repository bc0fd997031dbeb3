// The faults of emulated devices: docs/devices.md tells what a guest's kernel says of each, and this is where that is
// seen to hold. Each row of the table is a device that is plugged into the same guest.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "device-sim/emulation/descriptor_lies.h"
#include "device-sim/emulation/fault.h"
#include "e2e/harness/digest.h"
#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop;
using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

constexpr bool kIsLong = USBLOOP_SLOW_FAULTS;
constexpr const char* kHeading = kIsLong ? "### What takes Linux half a minute and more" : "### What Linux says";
constexpr milliseconds kPatience = kIsLong ? 200s : 60s;

struct Row {
  std::string device, fault;
  std::string says;   ///< a line of the kernel's log; empty: nothing is said
  std::string other;  ///< what another kernel says instead; empty: the same
  std::size_t times = 1;
  std::string then;
};

std::vector<Row> rows_of(const std::string& heading) {
  std::ifstream in(USBLOOP_DEVICES_DOCUMENT);
  std::vector<Row> rows;
  bool is_here = false;
  const std::regex row_form(
      R"(\| `(\w+)` `([^`]+)` \| (nothing|`([^`]+)`( or `([^`]+)`)?(, ([0-9]+) times)?) \| ([^|]+) \|)");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) is_here = line == heading;
    std::smatch found;
    if (!is_here || !std::regex_match(line, found, row_form)) continue;
    rows.push_back({found[1], found[2], found[4], found[6], found[8].matched ? std::stoul(found[8]) : 1, found[9]});
  }
  return rows;
}

/// The kernel's lines without their times, and without what differs from run to run.
std::vector<std::string> kernel_lines(GuestConsole& guest) {
  std::istringstream log(guest.must_run("dmesg"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    line = std::regex_replace(line, std::regex(R"(^\[ *[0-9.]+\] )"), "");
    line = std::regex_replace(line, std::regex("device number [0-9]+"), "device number N");
    line = std::regex_replace(line, std::regex(R"(\.[0-9A-F]{4}: )"), ".N: ");
    lines.push_back(line);
  }
  return lines;
}

/// For grep: the line of the document, with anything for what is no letter, and for what differs from run to run.
std::string pattern_of(const std::string& line) {
  std::string text = line;
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != ' ') c = '.';
  }
  text = std::regex_replace(text, std::regex("device number N"), "device number [0-9]*");
  return std::regex_replace(text, std::regex(R"(\.N\. )"), ".[0-9A-F]*. ");
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

/// One guest, into which one device after the other is plugged.
class Bench {
 public:
  void check(const Row& row) {
    CAPTURE(row.device);
    CAPTURE(row.fault);
    guest_.must_run("dmesg -c > /dev/null");
    const bool is_disk = row.device != "keyboard";
    if (!is_disk) {
      guest_.must_run(
          "kill $reader 2> /dev/null; rm -f /tmp/typed; head -n 1 < /dev/tty1 > /tmp/typed 2> /dev/null & "
          "reader=$!");
    }
    const std::string spec = row.device + (is_disk ? ",image=" + image_.string() : ",pace=150,text=abc\\n");
    e2e::Process device({.name = "device-" + std::to_string(++number_),
                         .argv = {e2e::device_sim(), "--emulate", spec + ",fault=" + row.fault, "--to",
                                  "unix:" + (plain_.dir() / "slot.sock").string()},
                         .log_dir = dir_.path()});
    if (row.then == kNoDisk || row.then == kGone) {
      wait_for(row);
      // The port is busy until the guest has taken the device or has given it up.
      wait_for_pattern(row.then == kGone ? "USB disconnect" : "unable to enumerate' -e 'Mass Storage device detected");
      guest_.must_run("usleep 300000");  // a disk that comes all the same would be there by then
    } else if (is_disk) {
      wait_for_pattern("Attached SCSI");
    }
    CHECK(outcome(is_disk) == row.then);
    if (!row.says.empty()) wait_for(row);
    check_log(row);
    device.signal(SIGTERM);
    device.wait_exit(5s);
    guest_.must_run(
        "for i in $(seq 600); do [ -e /sys/bus/usb/devices/1-1 ] || [ -e /sys/bus/usb/devices/2-1 ] || break; usleep "
        "50000; done");
  }

 private:
  static constexpr const char* kNoDisk = "There is no disk.";
  static constexpr const char* kGone = "The disk is gone.";

  /// Waits in the guest, where looking costs the least, until its log has the line so often.
  void wait_for(const Row& row) {
    const std::string other = row.other.empty() ? "" : "' -e '" + pattern_of(row.other);
    wait_for_pattern(pattern_of(row.says) + other, row.times);
  }
  void wait_for_pattern(const std::string& pattern, std::size_t times = 1) {
    const auto looks = std::to_string(kPatience / 100ms);
    guest_.must_run("for i in $(seq " + looks + "); do [ $(dmesg | grep -c -e '" + pattern + "') -ge " +
                        std::to_string(times) + " ] && break; usleep 100000; done",
                    kPatience * 2);
  }

  void check_log(const Row& row) {
    const auto lines = kernel_lines(guest_);
    const auto count = static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
      return line == row.says || (!row.other.empty() && line == row.other);
    }));
    if (!row.says.empty()) {
      CHECK_MESSAGE((row.times == 1 ? count >= 1 : count == row.times), joined(lines));
      return;
    }
    const std::regex trouble("reset |error|fail|invalid");
    for (const auto& line : lines) CHECK_MESSAGE(!std::regex_search(line, trouble), line);
  }

  /// What has become of the device, in the document's words.
  std::string outcome(bool is_disk) {
    if (!is_disk) {
      const std::string typed = guest_.must_run(
          "for i in $(seq 400); do [ -s /tmp/typed ] && break; usleep 50000; done; cat /tmp/typed", kPatience);
      return typed == "abc" ? "All keys come." : typed == "ac" ? "A key is lost, the others come." : "Typed: " + typed;
    }
    if (guest_.run("[ -b /dev/sda ]").status != 0) {
      return guest_.run("dmesg | grep -q 'USB disconnect'").status == 0 ? kGone : kNoDisk;
    }
    const auto read = [&](const char* skip) {
      return guest_.run(std::string("dd if=/dev/sda bs=4k count=16 iflag=direct 2>/dev/null skip=") + skip +
                            " > /tmp/read && sha256sum < /tmp/read | cut -d' ' -f1",
                        kPatience);
    };
    const GuestResult first = read("0"), other = read("16");
    if (first.output == half_) return other.output == rest_ ? "The disk is read right." : "Half of it is read right.";
    return other.output == rest_ ? "The block cannot be read, others can." : "Nothing can be read.";
  }

  const CaseDir dir_;
  const fs::path image_ = dir_.path() / "stick.img";
  static constexpr std::size_t kHalf = 65536;
  const std::string bytes_ = random_bytes(1 << 20, 4);
  const std::string half_ = sha256_of(bytes_.substr(0, kHalf));
  const std::string rest_ = sha256_of(bytes_.substr(kHalf, kHalf));
  PlainGuest plain_{dir_,
                    {.arguments = {"-chardev", "socket,id=slot,path=slot.sock,server=on,wait=off", "-device",
                                   "usb-redir,chardev=slot,bus=xhci.0,port=1"}}};
  GuestConsole& guest_ = boot();
  int number_ = 0;

  GuestConsole& boot() {
    write_file(image_, bytes_);
    return plain_.boot();
  }
};

}  // namespace

TEST_CASE("a guest's kernel says of each fault what docs/devices.md says that it says") {
  const auto rows = rows_of(kHeading);
  REQUIRE(rows.size() > 3);
  Bench bench;
  for (const Row& row : rows) bench.check(row);
}

TEST_CASE("docs/devices.md has a row for each fault and for each lie") {
  std::set<std::string> told;
  for (const char* heading : {"### What Linux says", "### What takes Linux half a minute and more"}) {
    for (const Row& row : rows_of(heading)) {
      const auto fault = device_sim::parse_fault(row.fault);
      REQUIRE(fault);
      told.insert(device_sim::name_of(fault->kind) + fault->lie);
    }
  }
  for (const auto& info : device_sim::fault_kinds()) {
    if (info.kind != device_sim::FaultKind::descriptors) CHECK_MESSAGE(told.contains(info.name), info.name);
  }
  for (const auto& lie : device_sim::lie_names()) CHECK_MESSAGE(told.contains("descriptors" + lie), lie);
}
