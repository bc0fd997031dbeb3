// The emulated smart-card reader at a QEMU without a loop. To the guest's generic serial driver its bulk endpoints are
// a line, by which a shell speaks CCID to the card that libcacard makes.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "e2e/harness/image.h"
#include "e2e/harness/plain_guest.h"
#include "e2e/harness/process.h"
#include "e2e/harness/programs.h"

using namespace usbloop::e2e;
namespace fs = std::filesystem;

namespace {

/// A database with one certificate and no password.
fs::path make_certificates(const CaseDir& dir) {
  const fs::path database = dir.subdir("certificates");
  write_file(dir.path() / "noise", "what NSS mixes into its own randomness");
  const auto certutil = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), "certutil");
    argv.insert(argv.end(), {"-d", "sql:" + database.string()});
    Process process({.name = "certutil", .argv = std::move(argv), .log_dir = dir.path()});
    REQUIRE(process.wait_exit(60s).code == 0);
  };
  certutil({"-N", "--empty-password"});
  certutil({"-S", "-x", "-t", ",,", "-s", "CN=demo", "-n", "demo", "-z", (dir.path() / "noise").string()});
  return database;
}

/// A message of a guest's shell, as printf takes it, and `count` bytes of the answer in hexadecimal digits.
std::string ask(GuestConsole& guest, const std::string& message, int count) {
  return guest.must_run("printf '" + message + "' | cat >&4; timeout 20 head -c " + std::to_string(count) +
                            " <&4 | od -An -v -t x1 | tr -d ' \\n'",
                        60s);
}

}  // namespace

TEST_CASE("a guest powers a card on, selects its application, and reads of its certificate") {
  if (!on_path("certutil")) {
    std::puts("skipped: certutil is not installed (package libnss3-tools)");
    std::exit(77);
  }
  const CaseDir dir;
  PlainGuest plain(dir, {.arguments = {"-chardev", "socket,id=slot0,path=slot0.sock,server=on,wait=off", "-device",
                                       "usb-redir,chardev=slot0,bus=xhci.0,port=1"}});
  GuestConsole& guest = plain.boot();
  guest.must_run("modprobe usbserial && echo 08e6 4433 >/sys/bus/usb-serial/drivers/generic/new_id");
  const auto mark = guest.mark();
  Process reader({.name = "reader",
                  .argv = {device_sim(), "--emulate", "smart-card,certs=demo,db=" + make_certificates(dir).string(),
                           "--to", "unix:" + (plain.dir() / "slot0.sock").string()},
                  .log_dir = dir.path()});
  guest.wait_for_line("usbloop-guest: usb add 08e6:4433 speed=12 .*path=1-1", 15s, mark);
  guest.must_run("for i in $(seq 200); do [ -c /dev/ttyUSB0 ] && break; usleep 50000; done; [ -c /dev/ttyUSB0 ]");
  guest.must_run("exec 4<>/dev/ttyUSB0; stty raw -echo <&4");

  // Power on: the answer to reset of a card.
  const std::string reset = ask(guest, R"(\x62\x00\x00\x00\x00\x00\x01\x00\x00\x00)", 25);
  CHECK(reset.substr(0, 22) ==
        "800f0000000001"
        "000000"
        "3b");
  // SELECT of the application of the first certificate: there is more to tell.
  CHECK(ask(guest, R"(\x6f\x0c\x00\x00\x00\x00\x02\x00\x00\x00\x00\xa4\x04\x00\x07\xa0\x00\x00\x00\x79\x01\x00)", 12) ==
        "80020000000002"
        "000000"
        "610d");
  // READ BUFFER, and what it gives: 32 bytes of the certificate.
  CHECK(ask(guest, R"(\x6f\x07\x00\x00\x00\x00\x03\x00\x00\x00\x80\x52\x00\x00\x02\x02\x20)", 12) ==
        "80020000000003"
        "000000"
        "6120");
  const std::string certificate = ask(guest, R"(\x6f\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00\xc0\x00\x00\x20)", 44);
  CHECK(certificate.substr(0, 20) ==
        "80220000000004"
        "000000");
  CHECK(certificate.substr(certificate.size() - 4) == "9000");
  // Power off, and then a command has no answer of the card's.
  CHECK(ask(guest, R"(\x63\x00\x00\x00\x00\x00\x05\x00\x00\x00)", 10) ==
        "81000000000005"
        "010000");
  CHECK(ask(guest, R"(\x6f\x04\x00\x00\x00\x00\x06\x00\x00\x00\x00\xa4\x00\x00)", 10) ==
        "80000000000006"
        "41fe00");
  guest.must_run("exec 4>&-");
  reader.signal(SIGTERM);
  CHECK(reader.wait_exit(5s).code == 0);
}
